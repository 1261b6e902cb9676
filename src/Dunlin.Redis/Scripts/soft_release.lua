-- Releases the lease at KEYS[1] if it still is the grant (ARGV[2], ARGV[3]) of the id ARGV[1]. Returns 1 or 0.
local lease = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'number')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] or lease[3] ~= ARGV[3] then
    return 0
end
return redis.call('DEL', KEYS[1])
