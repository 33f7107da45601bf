-- Ask the leader where a ticket stands. KEYS: tickets, standing, changes   ARGV: ticket, maxlen
-- Removes the last answer, so that the next one to appear is fresh. Returns 1; 0: no such ticket.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'k', 'ask', 'v', ARGV[1])
return 1
