-- Fix the record of the session that a confirmed offer becomes: the first one given stands, so that
-- every later attempt forms the same session with the same seed. Only the leader may.
-- KEYS: leader, offers, seats, forming   ARGV: mark, offer, record
-- Returns the record that stands; 0: not confirmed by all, or finished; -1: not the leader.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return 0 end
if redis.call('HGET', KEYS[3], ARGV[2]) ~= '0' then return 0 end
redis.call('HSETNX', KEYS[4], ARGV[2], ARGV[3])
return redis.call('HGET', KEYS[4], ARGV[2])
