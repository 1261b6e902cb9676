-- Begins a life of the data at KEYS[1] with the epoch ARGV[2] on the server process ARGV[1]. If another node was first, its life stays.
-- Returns 1, or 0 if this is another server process by now.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if run ~= ARGV[1] then
    return 0
end
if redis.call('HGET', KEYS[1], 'run') ~= run then
    redis.call('HSET', KEYS[1], 'run', run, 'epoch', ARGV[2], 'number', 0)
end
return 1
