-- Where a channel stands, all parts at one instant.
-- KEYS: meta, views
-- Returns {{epoch, offset of the next event}, views}; nil for what is not there.
return {redis.call('HMGET', KEYS[1], 'epoch', 'next'), redis.call('GET', KEYS[2])}
