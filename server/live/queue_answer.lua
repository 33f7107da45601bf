-- Publish standings of tickets that still wait. KEYS: tickets, standing   ARGV: ticket, standing, …
for i = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
