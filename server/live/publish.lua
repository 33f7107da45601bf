-- Append to a channel that nobody leases: several writers, told apart by their batch ids, of which
-- the last 64 are remembered.
-- KEYS: feed, log, meta, views, batches (sorted set: batch -> first offset)
-- ARGV: (write.lua), base (the offset the caller has read; -2: any), epoch, a batch
-- Returns the first offset. -1: the channel has moved past `base`.
local batch, batches, base = batch_at(6, 2), KEYS[5], tonumber(ARGV[4])
local now = standing(batch.meta)
if now.after then
  local done = redis.call('ZSCORE', batches, batch.id)
  if done then return tonumber(done) end
else
  redis.call('DEL', batches)
end
if base > -2 and (now.after or 0) ~= base + 1 then return -1 end
local first = write(batch, now, ARGV[5])
redis.call('ZADD', batches, first, batch.id)
redis.call('ZREMRANGEBYRANK', batches, 0, -65)
redis.call('EXPIRE', batches, ttl_s)
redis.call('EXPIRE', batch.meta, ttl_s)
redis.call('EXPIRE', batch.log, ttl_s)
return first
