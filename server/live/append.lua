-- Append to a session that the caller leases. Only the holder of the newest fencing token may.
-- KEYS: log, meta, views, feed, record, leases, owners
-- ARGV: session, token, seal (1: the session is over for hosts), expected (first offset; -1: any),
--       then a batch (write.lua)
-- Returns the first offset; the same batch again returns the first result. -1: fenced, or the batch
-- would not begin where its writer believes.
local batch = batch_at(5)
local done = first_of(batch.meta, batch.id)
if done then return done end
local owner = redis.call('HGET', KEYS[7], ARGV[1])
if not owner or string.match(owner, '^%d+') ~= ARGV[2] then return -1 end
-- Without its meta the log is gone (Redis lost its data); a session cannot start in the middle.
local after = tonumber(redis.call('HGET', batch.meta, 'next'))
local expected = tonumber(ARGV[4])
if not after or (expected >= 0 and after ~= expected) then return -1 end
local _, first = write(batch)
redis.call('EXPIRE', KEYS[5], batch.ttl_s)
if ARGV[3] == '1' then
  redis.call('HSET', batch.meta, 'sealed', 1)
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('HDEL', KEYS[7], ARGV[1])
end
return first
