-- Give leases of one shard back at once. The token stays, so the next claim goes above it.
-- KEYS: leases, owners   ARGV: host, gone (1: nobody is to lease them again), session, token, …
for i = 3, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] .. ':' .. ARGV[1] then
    if ARGV[2] == '1' then
      redis.call('HDEL', KEYS[2], ARGV[i])
      redis.call('ZREM', KEYS[1], ARGV[i])
    else
      redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1] .. ':')
      redis.call('ZADD', KEYS[1], 0, ARGV[i])
    end
  end
end
return 0
