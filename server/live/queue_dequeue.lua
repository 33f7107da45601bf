-- Stop waiting, or decline the offer that holds the ticket.
-- KEYS: tickets, agents, held, seats, changes, standing   ARGV: ticket, agent, maxlen
-- Returns `left`, `declined`, `seated` (too late: everybody has confirmed) or `unknown`.
local ticket, agent = ARGV[1], ARGV[2]
if redis.call('HGET', KEYS[2], agent) ~= ticket then return 'unknown' end
local offer = redis.call('HGET', KEYS[3], ticket)
if offer and redis.call('HGET', KEYS[4], offer) == '0' then return 'seated' end
redis.call('HDEL', KEYS[1], ticket)
redis.call('HDEL', KEYS[2], agent)
redis.call('HDEL', KEYS[6], ticket)
local kind, value = 'leave', ticket
if offer then
  -- Without its seat the offer can never be complete; the leader dissolves it.
  redis.call('HDEL', KEYS[3], ticket)
  redis.call('HDEL', KEYS[4], offer .. ' ' .. agent)
  kind, value = 'decline', offer
end
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[3], '*', 'k', kind, 'v', value)
return offer and 'declined' or 'left'
