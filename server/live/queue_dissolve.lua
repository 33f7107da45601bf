-- End an offer that was not confirmed by all, and note that its agents are to be told, so that a
-- leader's death leaves nobody in the dark. Only the leader may. Harmless when repeated.
-- KEYS: leader, tickets, agents, held, offers, seats, untold
-- ARGV: mark, offer, all (1: everybody who is still there goes back; 0: who confirmed), then pairs
--       ticket, agent, …
-- Returns for each pair whether its ticket waits again, 1 or 0. Else one number: 0: all have confirmed
-- meanwhile, nothing was done; 1: there is no such offer; -1: not the leader.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local offer = ARGV[2]
if redis.call('HEXISTS', KEYS[5], offer) == 0 then
  local back = {}
  for i = 4, #ARGV, 2 do
    local noted = redis.call('HGET', KEYS[7], offer .. ' ' .. ARGV[i + 1])
    if not noted then return 1 end
    back[#back + 1] = tonumber(noted:sub(-1))
  end
  return back
end
if redis.call('HGET', KEYS[6], offer) == '0' then return 0 end
local back = {}
for i = 4, #ARGV, 2 do
  local ticket, agent = ARGV[i], ARGV[i + 1]
  local seat = offer .. ' ' .. agent
  local confirmed = redis.call('HGET', KEYS[6], seat)
  redis.call('HDEL', KEYS[4], ticket)
  redis.call('HDEL', KEYS[6], seat)
  local again = 0
  if redis.call('HEXISTS', KEYS[2], ticket) == 1 then
    if ARGV[3] == '1' or confirmed == '1' then
      again = 1
    else
      redis.call('HDEL', KEYS[2], ticket)
      if redis.call('HGET', KEYS[3], agent) == ticket then redis.call('HDEL', KEYS[3], agent) end
    end
  end
  back[#back + 1] = again
  redis.call('HSET', KEYS[7], seat, ticket .. ' ' .. again)
end
redis.call('HDEL', KEYS[5], offer)
redis.call('HDEL', KEYS[6], offer)
return back
