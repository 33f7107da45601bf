-- Open a session: its record, event 0 with its views, and a free lease. Harmless when repeated, also
-- after hosts have played on or sealed it.
-- KEYS: feed, leases, owners, log, meta, views, record
-- ARGV: (write.lua), session, record, epoch, a batch. Returns 1 when it was opened now, else 0.
local batch = batch_at(7, 4)
if redis.call('EXISTS', batch.meta) == 1 then return 0 end
redis.call('SET', KEYS[7], ARGV[5], 'EX', ttl_s)
write(batch, {}, ARGV[6])
redis.call('HDEL', KEYS[3], ARGV[4])
redis.call('ZADD', KEYS[2], 0, ARGV[4])
return 1
