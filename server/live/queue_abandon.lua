-- Forget a ticket of a queue that nobody leads, and the match that it was to play.
-- KEYS: leader, tickets, agents, held, offers, seats, forming, standing   ARGV: ticket, agent
-- Returns 1; 0: somebody leads, or the agent does not wait with this ticket.
local ticket, agent = ARGV[1], ARGV[2]
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('HGET', KEYS[3], agent) ~= ticket then return 0 end
local offer = redis.call('HGET', KEYS[4], ticket)
redis.call('HDEL', KEYS[2], ticket)
redis.call('HDEL', KEYS[3], agent)
redis.call('HDEL', KEYS[4], ticket)
redis.call('HDEL', KEYS[8], ticket)
if offer then
  redis.call('HDEL', KEYS[6], offer .. ' ' .. agent)
  redis.call('HDEL', KEYS[6], offer)
  redis.call('HDEL', KEYS[5], offer)
  redis.call('HDEL', KEYS[7], offer)
end
return 1
