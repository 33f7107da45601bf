-- Append to sessions of one shard that the caller leases, one batch to each. Only the holder of the
-- newest fencing token may; a Redis restored from an older copy may give a token again, to another host,
-- so the host counts, too.
-- KEYS: feed, leases, owners, then log, meta, views, record of each session
-- ARGV: (write.lua), then for each: session, mark (`<token>:<host>`), seal (1: the session is over for hosts), expected
--       (its first offset; -1: any), and the batch
-- Returns the first offset of each; the same batch again returns its first result. -1: fenced, or the
-- batch would not begin where its writer believes.
local owners = KEYS[3]

local function append(session, mark, seal, expected, batch, record)
  local now = standing(batch.meta)
  if now.batch == batch.id then return now.first end
  if redis.call('HGET', owners, session) ~= mark then return -1 end
  -- Without its meta the log is gone (Redis lost its data); a session cannot start in the middle.
  if not now.after or (expected >= 0 and now.after ~= expected) then return -1 end
  local first = write(batch, now)
  if first % REFRESH == 0 then redis.call('EXPIRE', record, ttl_s) end
  if seal == '1' then
    redis.call('HSET', batch.meta, 'sealed', 1)
    redis.call('EXPIRE', record, ttl_s)
    redis.call('ZREM', KEYS[2], session)
    redis.call('HDEL', owners, session)
  end
  return first
end

local firsts = {}
local at, key = 4, 4
while at <= #ARGV do
  local batch = batch_at(at + 4, key)
  firsts[#firsts + 1] = append(ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]),
    batch, KEYS[key + 3])
  at, key = batch.from + batch.count, key + 4
end
return firsts
