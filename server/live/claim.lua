-- Take up to `limit` free or expired leases of one shard, each with a fencing token above all before.
-- Time is Redis's own, so that hosts need not agree on it.
-- KEYS: leases, owners   ARGV: host, ttl_ms, limit   Returns session, token, session, token, …
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local claimed = {}
local open = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[3])
for _, session in ipairs(open) do
  local owner = redis.call('HGET', KEYS[2], session)
  local token = owner and tonumber(string.match(owner, '^%d+')) + 1 or 1
  redis.call('HSET', KEYS[2], session, string.format('%d:%s', token, ARGV[1]))
  redis.call('ZADD', KEYS[1], now + ARGV[2], session)
  claimed[#claimed + 1] = session
  claimed[#claimed + 1] = token
end
return claimed
