-- Restarts the duration of the lease at KEYS[1] with ARGV[4] ms if it still is the grant (ARGV[2], ARGV[3]) of the id ARGV[1]. Returns 1 or
-- 0.
local lease = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'number')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] or lease[3] ~= ARGV[3] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[4])
