-- Shared by open, append, seal and publish: put a batch of events after a channel's last one, set
-- its views, and tell the feed, all in one script, so that no reader ever sees one without the other.
--
-- Events and views arrive as MessagePack and are copied, never decoded. What only the script knows
-- (epoch, first offset) is packed here; maps may hold their keys in any order.

local function array_head(n)
  if n < 16 then return string.char(0x90 + n) end
  return string.char(0xdc, math.floor(n / 256), n % 256)
end

-- batch: {log, meta, views, feed: keys; id, epoch (used if the channel is new), log_maxlen,
--         feed_maxlen, ttl_s, fields (entries of the ViewSet besides its offset; 0: views unchanged),
--         tail (those entries, packed), appended (the FeedItem's constant entries, packed),
--         from (index in ARGV of the first event)}
-- Returns epoch and first offset.
local function write(batch)
  local epoch = redis.call('HGET', batch.meta, 'epoch')
  if not epoch then
    epoch = batch.epoch
    redis.call('DEL', batch.log, batch.views) -- leavings of a life whose meta was evicted
    redis.call('HSET', batch.meta, 'epoch', epoch, 'next', 0)
  end
  local count = #ARGV - batch.from + 1
  local after = redis.call('HINCRBY', batch.meta, 'next', count)
  local first = after - count
  redis.call('HSET', batch.meta, 'batch', batch.id, 'first', first)

  local parts = {'\134', batch.appended, cmsgpack.pack('epoch'), cmsgpack.pack(epoch),
    cmsgpack.pack('first'), cmsgpack.pack(first), cmsgpack.pack('events'), array_head(count)}
  for i = 0, count - 1 do
    local event = ARGV[batch.from + i]
    -- `<offset>-1`, since Redis forbids the id 0-0
    redis.call('XADD', batch.log, 'MAXLEN', '~', batch.log_maxlen, (first + i) .. '-1', 'e', event)
    parts[#parts + 1] = event
  end
  parts[#parts + 1] = cmsgpack.pack('views')
  if batch.fields == 0 then
    parts[#parts + 1] = '\192' -- nil
  else
    local views = table.concat({string.char(0x81 + batch.fields), cmsgpack.pack('offset'),
      cmsgpack.pack(after - 1), batch.tail})
    redis.call('SET', batch.views, views, 'EX', batch.ttl_s)
    parts[#parts + 1] = views
  end
  redis.call('EXPIRE', batch.meta, batch.ttl_s)
  redis.call('EXPIRE', batch.log, batch.ttl_s)
  redis.call('XADD', batch.feed, 'MAXLEN', '~', batch.feed_maxlen, '*', 'i', table.concat(parts))
  return epoch, first
end

-- ARGV: id, epoch, log_maxlen, feed_maxlen, ttl_s, fields, tail, appended from index `at` on;
-- the events follow them. KEYS: log, meta, views, feed come first.
local function batch_at(at)
  return {log = KEYS[1], meta = KEYS[2], views = KEYS[3], feed = KEYS[4],
    id = ARGV[at], epoch = ARGV[at + 1], log_maxlen = ARGV[at + 2], feed_maxlen = ARGV[at + 3],
    ttl_s = ARGV[at + 4], fields = tonumber(ARGV[at + 5]), tail = ARGV[at + 6],
    appended = ARGV[at + 7], from = at + 8}
end

-- The first offset of a batch that is already in the log; false if it is not the last one written.
local function first_of(meta, id)
  local last = redis.call('HMGET', meta, 'batch', 'first')
  return last[1] == id and tonumber(last[2])
end
