-- Take an offered seat. Works while nobody leads, so an outage costs no agent its place.
-- KEYS: seats, changes   ARGV: offer, agent, maxlen
-- Returns how many confirmations are missing; -1: no such offer for this agent (any more).
local seat = ARGV[1] .. ' ' .. ARGV[2]
local confirmed = redis.call('HGET', KEYS[1], seat)
if not confirmed then return -1 end
if confirmed == '1' then return tonumber(redis.call('HGET', KEYS[1], ARGV[1])) end
redis.call('HSET', KEYS[1], seat, 1)
local missing = redis.call('HINCRBY', KEYS[1], ARGV[1], -1)
if missing == 0 then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'k', 'complete', 'v', ARGV[1])
end
return missing
