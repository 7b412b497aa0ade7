#!lua
-- Keeps a revocation and announces it: both or nothing.
--
-- KEYS  the sorted set of revocations, each with its end as its score
-- ARGV  channel, revocation, its end in unix seconds, how many may be kept
--
-- The same revocation given again is the same member, so that a retry doubles nothing. What has ended is dropped by this
-- server's clock: a caller whose clock is wrong must not take others' away.

local set, channel = KEYS[1], ARGV[1]
local revocation, ends, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

for _, right in ipairs({
  { 'ZREMRANGEBYSCORE', set, '-inf', 0 }, { 'ZADD', set, ends, revocation }, { 'EXPIREAT', set, ends },
  { 'PUBLISH', channel, revocation },
}) do
  if not redis.acl_check_cmd(unpack(right)) then
    error({ err = 'NOPERM the publisher may not ' .. right[1] .. ' ' .. right[2] })
  end
end
local now = tonumber(redis.call('TIME')[1])
local known = redis.call('ZSCORE', set, revocation)
if not known and redis.call('ZCOUNT', set, now, '+inf') >= most then
  error({ err = 'FULL there are ' .. most .. ' revocations in force' })
end
local last = redis.call('ZRANGE', set, -1, -1, 'WITHSCORES')[2]

-- From here on nothing fails.
redis.call('ZREMRANGEBYSCORE', set, '-inf', '(' .. now)
redis.call('ZADD', set, ends, revocation)
redis.call('EXPIREAT', set, math.max(ends, tonumber(last or 0)) + 1)
redis.call('PUBLISH', channel, revocation)
return redis.status_reply('OK')
