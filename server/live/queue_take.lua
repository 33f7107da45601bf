-- Move waiting tickets into an offer, all or none. Only the leader may. Harmless when repeated.
-- KEYS: leader, tickets, held, offers, seats, standing
-- ARGV: mark, offer, record, then ticket, agent, ticket, agent, …
-- Returns 1, -1 (not the leader), or the list of tickets that wait no more: then nothing was done.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local offer = ARGV[2]
if redis.call('HEXISTS', KEYS[4], offer) == 1 then return 1 end
local gone = {}
for i = 4, #ARGV, 2 do
  local ticket = ARGV[i]
  if redis.call('HEXISTS', KEYS[2], ticket) == 0 or redis.call('HEXISTS', KEYS[3], ticket) == 1 then
    gone[#gone + 1] = ticket
  end
end
if #gone > 0 then return gone end
redis.call('HSET', KEYS[4], offer, ARGV[3])
redis.call('HSET', KEYS[5], offer, (#ARGV - 3) / 2)
for i = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[i], offer)
  redis.call('HSET', KEYS[5], offer .. ' ' .. ARGV[i + 1], 0)
  redis.call('HDEL', KEYS[6], ARGV[i])
end
return 1
