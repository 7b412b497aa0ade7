#!lua
-- Asks for places in the name of one replica, and takes those that are free.
--
-- KEYS  the set of replicas; this replica's hash: field -> how many it has
-- ARGV  what a replica's hash begins with, this replica, lease in ms, then per question: how many subjects, then per
--       subject: field, how many this replica has with the new one, limit
-- Gives per question: 0, or the number of the subject that is full.
--
-- A hash is its replica's lease: it expires by itself. Counts are written as they are, not added up, so that an answer that
-- was lost changes nothing. The others' hashes are not declared as keys: their names share this one's hash tag.

local replicas, own = KEYS[1], KEYS[2]
local prefix, me, lease = ARGV[1], ARGV[2], ARGV[3]

local others = {}
for _, replica in ipairs(redis.call('SMEMBERS', replicas)) do
  if replica ~= me then
    if redis.call('EXISTS', prefix .. replica) == 1 then
      others[#others + 1] = prefix .. replica
    else
      redis.call('SREM', replicas, replica)
    end
  end
end

local verdicts, at = {}, 4
while at <= #ARGV do
  local subjects, full = tonumber(ARGV[at]), 0
  local function argument(subject, number)
    return ARGV[at + 3 * (subject - 1) + number]
  end
  for subject = 1, subjects do
    local count = tonumber(argument(subject, 2))
    for _, other in ipairs(others) do
      count = count + tonumber(redis.call('HGET', other, argument(subject, 1)) or 0)
    end
    if full == 0 and count > tonumber(argument(subject, 3)) then
      full = subject
    end
  end
  for subject = 1, subjects do
    local count = tonumber(argument(subject, 2)) - (full == 0 and 0 or 1)
    if count > 0 then
      redis.call('HSET', own, argument(subject, 1), count)
    else
      redis.call('HDEL', own, argument(subject, 1))
    end
  end
  verdicts[#verdicts + 1] = full
  at = at + 1 + 3 * subjects
end

redis.call('SADD', replicas, me)
redis.call('PEXPIRE', replicas, lease)
redis.call('PEXPIRE', own, lease)
return verdicts
