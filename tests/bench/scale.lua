-- scale.lua - wrk asks for the files that tree.c makes, each once before any comes again, in no order. FOLDERS 0: for names that are not there.
-- usage: wrk -s scale.lua URL FILES FOLDERS
local files, folders, at
local step = 7919 -- a prime: neighbours on the disk are not neighbours in time
function init(args)
    files, folders = tonumber(args[1]), tonumber(args[2])
    at = os.time() % files
end
function request()
    at = (at + step) % files
    local name = folders > 0 and string.format("%03x/%07d", at % folders, at) or string.format("none/%07d", at)
    return "GET /" .. name .. " HTTP/1.1\r\nHost: bench\r\n\r\n"
end
