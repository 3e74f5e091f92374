-- many.lua - wrk asks for the paths that a file lists, each about as often as another. usage: wrk -s many.lua URL LIST
local requests, at = {}, 0
function init(args)
    for path in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
    at = math.random(#requests)
end
function request()
    at = at + 7919 -- a prime: neighbours on the disk are not neighbours in time
    return requests[at % #requests + 1]
end
