-- pipeline.lua - wrk sends 16 requests at once on each connection.
local depth = 16
function init(args)
    local r = {}
    for i = 1, depth do
        r[i] = wrk.format()
    end
    batch = table.concat(r)
end
function request()
    return batch
end
