-- Become the leader when there is none. KEYS: leader, fence   ARGV: process, ttl_ms
-- Returns our mark `<token>:<process>`, its token above all before; false while somebody leads.
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local mark = string.format('%d:%s', redis.call('INCR', KEYS[2]), ARGV[1])
redis.call('SET', KEYS[1], mark, 'PX', ARGV[2])
return mark
