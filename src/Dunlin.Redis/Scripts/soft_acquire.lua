-- Grants the lease at KEYS[2] to the id ARGV[1] of the holder ARGV[2] for ARGV[3] ms if it is free. Returns the same grant for the same id.
-- KEYS[1] is the life of Redis' data: its server process, its epoch, and the last number issued. Another server process may have lost
-- issued numbers, so it issues none before it has a new epoch.
-- Returns {1 granted | 0 held | -1 no life, epoch, number, ms left}.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local life = redis.call('HMGET', KEYS[1], 'run', 'epoch')
if life[1] ~= run then
    return {-1, run}
end
local lease = redis.call('HMGET', KEYS[2], 'id', 'epoch', 'number')
if lease[1] and lease[1] ~= ARGV[1] then
    return {0, lease[2], lease[3], redis.call('PTTL', KEYS[2])}
end
if not lease[1] then
    lease = {ARGV[1], life[2], redis.call('HINCRBY', KEYS[1], 'number', 1)}
    redis.call('HSET', KEYS[2], 'id', ARGV[1], 'holder', ARGV[2], 'epoch', lease[2], 'number', lease[3])
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {1, lease[2], lease[3], tonumber(ARGV[3])}
