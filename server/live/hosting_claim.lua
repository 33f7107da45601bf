-- Play an agent for another ttl_ms, or let it go (ttl_ms 0). KEYS: claim   ARGV: process, ttl_ms
-- Returns 1 when it is ours from now on; 0 when another process plays it, or nobody any more.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
