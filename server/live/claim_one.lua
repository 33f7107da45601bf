-- Take the lease of one session, if it is free or expired, with a fencing token above all before.
-- KEYS: leases, owners   ARGV: host, ttl_ms, session   Returns the token, or nil
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local until_ms = redis.call('ZSCORE', KEYS[1], ARGV[3])
if not until_ms or tonumber(until_ms) > now then return nil end
local owner = redis.call('HGET', KEYS[2], ARGV[3])
local token = owner and tonumber(string.match(owner, '^%d+')) + 1 or 1
redis.call('HSET', KEYS[2], ARGV[3], string.format('%d:%s', token, ARGV[1]))
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
return token
