-- Forget a ticket of a queue that nobody leads, and the match that it was to play. Whoever was to play it, too, waits again:
-- a leader that is back finds an offer's tickets by the offer alone, and would never see them.
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
  local held = redis.call('HGETALL', KEYS[4])
  for i = 1, #held, 2 do
    if held[i + 1] == offer then redis.call('HDEL', KEYS[4], held[i]) end
  end
  for _, seat in ipairs(redis.call('HKEYS', KEYS[6])) do
    if seat == offer or seat:sub(1, #offer + 1) == offer .. ' ' then redis.call('HDEL', KEYS[6], seat) end
  end
  redis.call('HDEL', KEYS[5], offer)
  redis.call('HDEL', KEYS[7], offer)
end
return 1
