-- Open a session: its record, event 0 with its views, and a free lease. Harmless when repeated, also
-- after hosts have played on or sealed it.
-- KEYS: log, meta, views, feed, record, leases, owners
-- ARGV: session, record, then a batch (write.lua). Returns 1 when it was opened now, else 0.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local batch = batch_at(3)
redis.call('SET', KEYS[5], ARGV[2], 'EX', batch.ttl_s)
write(batch)
redis.call('HDEL', KEYS[7], ARGV[1])
redis.call('ZADD', KEYS[6], 0, ARGV[1])
return 1
