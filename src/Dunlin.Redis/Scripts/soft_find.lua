-- Returns the holder of the lease at KEYS[1] as {holder, epoch, number, ms left}, or an empty table.
local lease = redis.call('HMGET', KEYS[1], 'holder', 'epoch', 'number')
if not lease[1] then
    return {}
end
return {lease[1], lease[2], lease[3], redis.call('PTTL', KEYS[1])}
