-- Append to a channel that nobody leases: several writers, told apart by their batch ids, of which
-- the last 64 are remembered.
-- KEYS: log, meta, views, feed, batches (sorted set: batch -> first offset)
-- ARGV: base (the offset the caller has read; -2: any), then a batch (write.lua)
-- Returns the first offset. -1: the channel has moved past `base`.
local batch = batch_at(2)
if redis.call('EXISTS', batch.meta) == 0 then redis.call('DEL', KEYS[5]) end
local done = redis.call('ZSCORE', KEYS[5], batch.id)
if done then return tonumber(done) end
local base = tonumber(ARGV[1])
if base > -2 and tonumber(redis.call('HGET', batch.meta, 'next') or '0') ~= base + 1 then
  return -1
end
local _, first = write(batch)
redis.call('ZADD', KEYS[5], first, batch.id)
redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -65)
redis.call('EXPIRE', KEYS[5], batch.ttl_s)
return first
