-- Give leases of one shard back at once. The token stays, so the next claim goes above it.
-- KEYS: leases, owners   ARGV: host, session, token, session, token, …
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] .. ':' .. ARGV[1] then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1] .. ':')
    redis.call('ZADD', KEYS[1], 0, ARGV[i])
  end
end
return 0
