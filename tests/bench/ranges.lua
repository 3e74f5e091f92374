-- ranges.lua - wrk asks for parts of one file, each of which begins anywhere. usage: wrk -s ranges.lua URL -- FILE-BYTES PART-BYTES
local requests, at = {}, 0
function init(args)
    local size, part = tonumber(args[1]), tonumber(args[2])
    math.randomseed(1)
    for i = 1, 4096 do
        local first = math.random(0, size - part)
        wrk.headers["Range"] = string.format("bytes=%d-%d", first, first + part - 1)
        requests[i] = wrk.format()
    end
end
function request()
    at = at + 1
    return requests[at % #requests + 1]
end
