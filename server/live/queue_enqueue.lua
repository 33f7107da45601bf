-- Let an agent wait, once. KEYS: tickets, agents, changes   ARGV: agent, ticket, record, maxlen
-- Returns false, or the record with which the agent waits already.
local waits = redis.call('HGET', KEYS[2], ARGV[1])
local record = waits and redis.call('HGET', KEYS[1], waits)
if record then return record end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'k', 'join', 'v', ARGV[3])
return false
