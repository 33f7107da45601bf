-- Shared by open, append and publish: put a batch of events after a channel's last one, set its
-- views, and tell the feed, all in one script, so that no reader ever sees one without the other.
--
-- Events and views arrive as MessagePack and are copied, never decoded. What only the script knows
-- (epoch, offsets) is packed here; maps may hold their keys in any order.
--
-- KEYS[1] is the shard's feed. ARGV[1..3]: log_maxlen, feed_maxlen, ttl_s.

local feed, log_maxlen, feed_maxlen, ttl_s = KEYS[1], tonumber(ARGV[1]), ARGV[2], ARGV[3]
local EPOCH, FIRST, EVENTS, VIEWS, OFFSET = cmsgpack.pack('epoch'), cmsgpack.pack('first'),
  cmsgpack.pack('events'), cmsgpack.pack('views'), cmsgpack.pack('offset')
local NIL = '\192'
local REFRESH = 16 -- events between two renewals of a channel's expiry; ttl_s is hours

local function array_head(n)
  if n < 16 then return string.char(0x90 + n) end
  return string.char(0xdc, math.floor(n / 256), n % 256)
end

-- The batch at ARGV[at], for the channel whose log, meta and views are KEYS[key], +1, +2. It is:
-- id, fields (entries of the ViewSet besides its offset; 0: views stay), tail (those entries),
-- appended (the feed item's constant entries), count, and that many events.
local function batch_at(at, key)
  return {log = KEYS[key], meta = KEYS[key + 1], views = KEYS[key + 2], id = ARGV[at],
    fields = tonumber(ARGV[at + 1]), tail = ARGV[at + 2], appended = ARGV[at + 3],
    count = tonumber(ARGV[at + 4]), from = at + 5}
end

-- Where the channel stands; `after` is nil when there is none.
local function standing(meta)
  local m = redis.call('HMGET', meta, 'epoch', 'next', 'batch', 'first')
  return {epoch = m[1], after = m[2] and tonumber(m[2]), batch = m[3],
    first = m[3] and tonumber(m[4])}
end

-- Appends and returns the first offset. `now` is `standing`; a new channel gets `epoch`.
local function write(batch, now, epoch)
  local first = now.after or 0
  if now.after then
    epoch = now.epoch
  else
    redis.call('DEL', batch.log, batch.views) -- leavings of a life whose meta was evicted
  end
  local after = first + batch.count
  redis.call('HSET', batch.meta, 'epoch', epoch, 'next', after, 'batch', batch.id, 'first', first)

  local parts = {'\134', batch.appended, EPOCH, cmsgpack.pack(epoch), FIRST, cmsgpack.pack(first),
    EVENTS, array_head(batch.count)}
  for i = 0, batch.count - 1 do
    local event, offset = ARGV[batch.from + i], first + i
    -- `<offset>-1`, since Redis forbids the id 0-0
    if offset < log_maxlen then
      redis.call('XADD', batch.log, offset .. '-1', 'e', event)
    else
      redis.call('XADD', batch.log, 'MAXLEN', '~', log_maxlen, offset .. '-1', 'e', event)
    end
    parts[#parts + 1] = event
  end
  parts[#parts + 1] = VIEWS
  if batch.fields == 0 then
    parts[#parts + 1] = NIL
  else
    local views = string.char(0x81 + batch.fields) .. OFFSET .. cmsgpack.pack(after - 1) .. batch.tail
    redis.call('SET', batch.views, views, 'EX', ttl_s)
    parts[#parts + 1] = views
  end
  if math.floor(first / REFRESH) ~= math.floor(after / REFRESH) or first < REFRESH then
    redis.call('EXPIRE', batch.meta, ttl_s)
    redis.call('EXPIRE', batch.log, ttl_s)
  end
  redis.call('XADD', feed, 'MAXLEN', '~', feed_maxlen, '*', 'i', table.concat(parts))
  return first
end
