#!lua
-- Asks for places in the name of one replica, and takes those that are free.
--
-- KEYS  the set of replicas; this replica's hash: field -> how many it has
-- ARGV  what a replica's hash begins with, this replica, lease in ms, then per question: how many subjects, then per
--       subject: field, how many this replica has let in, limit
-- Gives per question: 0, or the number of the subject that is full.
--
-- A hash is its replica's lease: it expires by itself. The replica's own count is what it says, not what the hash holds, so
-- that an answer that was lost leaves nothing behind. The others' hashes are not declared as keys: their names share this
-- one's hash tag.

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

-- How many this replica has, with those that are let in here.
local mine = {}
local function taken(field)
  local count = mine[field]
  for _, other in ipairs(others) do
    count = count + tonumber(redis.call('HGET', other, field) or 0)
  end
  return count
end

local verdicts, at = {}, 4
while at <= #ARGV do
  local last, full = at + 3 * tonumber(ARGV[at]), 0
  for i = at + 1, last, 3 do
    local field, before, limit = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    mine[field] = mine[field] or before
    if full == 0 and taken(field) >= limit then
      full = (i - at - 1) / 3 + 1
    end
  end
  for i = at + 1, last, 3 do
    local field = ARGV[i]
    if full == 0 then
      mine[field] = mine[field] + 1
    end
    if mine[field] > 0 then
      redis.call('HSET', own, field, mine[field])
    else
      redis.call('HDEL', own, field)
    end
  end
  verdicts[#verdicts + 1] = full
  at = last + 1
end

redis.call('SADD', replicas, me)
redis.call('PEXPIRE', replicas, lease)
redis.call('PEXPIRE', own, lease)
return verdicts
