-- Put an action into the inbox of the host that leases its session.
-- KEYS: owners, inbox (of the host that the caller believes in)
-- ARGV: session, host, message, maxlen, ttl_s
-- Returns 1, or the name of the host that does lease it ('' when none does).
local owner = redis.call('HGET', KEYS[1], ARGV[1])
local host = owner and string.match(owner, '^%d+:(.*)$') or ''
if host == '' or host ~= ARGV[2] then return host end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'm', ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 1
