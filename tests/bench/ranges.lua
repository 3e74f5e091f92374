-- ranges.lua - wrk asks for parts of one file, each of which begins anywhere, or at a multiple of STEP bytes.
-- usage: wrk -s ranges.lua URL -- FILE-BYTES PART-BYTES [STEP]
local requests, at = {}, 0
function init(args)
    local size, part, step = tonumber(args[1]), tonumber(args[2]), tonumber(args[3] or 1)
    math.randomseed(1)
    for i = 1, 4096 do
        local first = math.random(0, (size - part) / step) * step
        wrk.headers["Range"] = string.format("bytes=%d-%d", first, first + part - 1)
        requests[i] = wrk.format()
    end
end
function request()
    at = at + 1
    return requests[at % #requests + 1]
end
