-- Forget an offer that has become a session, and its tickets. Only the leader may.
-- KEYS: leader, tickets, agents, held, offers, seats, forming
-- ARGV: mark, offer, then ticket, agent, ticket, agent, …   Returns 1; -1: not the leader.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local offer = ARGV[2]
for i = 3, #ARGV, 2 do
  local ticket, agent = ARGV[i], ARGV[i + 1]
  redis.call('HDEL', KEYS[2], ticket)
  if redis.call('HGET', KEYS[3], agent) == ticket then redis.call('HDEL', KEYS[3], agent) end
  redis.call('HDEL', KEYS[4], ticket)
  redis.call('HDEL', KEYS[6], offer .. ' ' .. agent)
end
redis.call('HDEL', KEYS[5], offer)
redis.call('HDEL', KEYS[6], offer)
redis.call('HDEL', KEYS[7], offer)
return 1
