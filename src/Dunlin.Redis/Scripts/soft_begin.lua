-- Begins a life of the data at KEYS[1] with the epoch ARGV[2], on the server process ARGV[1]. Where another node was first, its life goes on.
-- Answers 1, or 0 where this is another server process by now.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if run ~= ARGV[1] then
    return 0
end
if redis.call('HGET', KEYS[1], 'run') ~= run then
    redis.call('HSET', KEYS[1], 'run', run, 'epoch', ARGV[2], 'number', 0)
end
return 1
