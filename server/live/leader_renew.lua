-- Lead for another ttl_ms, or stop (ttl_ms 0). KEYS: leader   ARGV: mark, ttl_ms
-- Returns 1; 0 when somebody else leads, or nobody: a lapsed lease is never renewed.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
