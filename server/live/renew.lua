-- Prolong leases of one shard that are still the caller's.
-- KEYS: leases, owners   ARGV: host, ttl_ms, session, token, session, token, …
-- Returns the sessions that are not the caller's any more.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local lost = {}
for i = 3, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] .. ':' .. ARGV[1] then
    redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
