#!lua
-- Appends up to 100 events to one company's log and announces them, all of it or nothing of it.
--
-- KEYS  log, then one idempotency key per event
-- ARGV  channel, max events, log ttl ms, idempotency ttl ms, two field names, PUBLISH or in a cluster SPUBLISH, then per
--       event: type, tail of the frame
-- Gives id, duplicate (0 or 1), id, duplicate, ... in the order of the events.
--
-- Redis does not undo a script whose later command fails, so whatever can fail comes before the first write:
--   * `#!lua` without flags: Redis refuses to begin on a replica (READONLY), out of memory (OOM), when it cannot
--     persist (MISCONF) or has too few replicas (NOREPLICAS);
--   * every read, so that a key of a wrong type is met here;
--   * the caller's rights to each write and to the channel, asked for by acl_check_cmd.
-- What remains is a crash of Redis itself; the log it comes back with is the truth, and gateways catch up from it.
--
-- Lua numbers are doubles: a seq is exact up to 2^53 (a million events a second for 285 years). Beyond that, Redis
-- refuses the id as not increasing, and the log begins a new epoch: never a wrong or a doubled id.

local log, channel = KEYS[1], ARGV[1]
local max_events, log_ttl, idem_ttl, field, origin_field, announce = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local count = #KEYS - 1

local function require_right(...)
  if not redis.acl_check_cmd(...) then
    error({ err = 'NOPERM the publisher may not ' .. select(1, ...) .. ' ' .. select(2, ...) })
  end
end

-- Which data set this is: the start of the replication id, which changes with a promotion and with a restart. Empty
-- without the right to ask.
local function ask(section)
  return redis.acl_check_cmd('INFO', section) and redis.call('INFO', section) or ''
end
local function origin_of(id)
  return string.sub(id or '', 1, 8)
end

-- Whether the numbers behind an entry that was written to the data set `last` may have been given out before, and lost:
-- this Redis was promoted, or came back with a snapshot. After a restart with the append-only file the log goes on.
local function may_reuse_numbers(last, origin, replication)
  if last == nil or last == '' or origin == '' or last == origin then
    return false
  end
  local promoted = origin_of(replication:match('master_replid2:(%x+)')) ~= '00000000'
  return promoted or not ask('persistence'):find('aof_enabled:1', 1, true)
end

-- What is known already, and where the log ends.
local stored, news = {}, 0
for i = 1, count do
  local key = KEYS[i + 1]
  stored[key] = redis.call('GET', key)
  if not stored[key] then
    news = news + 1
    require_right('SET', key, '', 'PX', idem_ttl)
  end
end
local epoch, seq, origin
if news > 0 then
  require_right('XADD', log, '*', field, '')
  require_right('PEXPIRE', log, log_ttl)
  require_right(announce, channel, '')
  local replication = ask('replication')
  origin = origin_of(replication:match('master_replid:(%x+)'))
  local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if newest then
    epoch, seq = newest[1]:match('^(%d+)-(%d+)$')
    seq = tonumber(seq)
    local fields = newest[2]
    if may_reuse_numbers(fields[3] == origin_field and fields[4] or nil, origin, replication) then
      -- A new epoch behind what is there, which screens may still show.
      local now = math.floor(tonumber(ask('server'):match('server_time_usec:(%d+)')) / 1000)
      epoch, seq = string.format('%.0f', math.max(now, tonumber(epoch) + 1)), 0
    end
  end
end

-- A new epoch: now, by the clock of Redis, but later than anything this stream ever held. An emptied stream remembers
-- its last id and refuses a smaller one, also when the clock has stepped back; `*` respects that, so an entry that is
-- trimmed in the same command tells a time that is free.
local function begin_epoch()
  local id = redis.call('XADD', log, 'MAXLEN', '=', 0, '*', field, '')
  local ms, taken = id:match('^(%d+)-(%d+)$')
  if taken ~= '0' then
    ms = string.format('%.0f', tonumber(ms) + 1)
  end
  epoch, seq = ms, 0
end

local function append(event_type, tail)
  local id = epoch .. '-' .. string.format('%.0f', seq + 1)
  local record = '1 ' .. id .. ' ' .. event_type .. ' {"frame":"event","id":"' .. id .. '",' .. tail
  local reply = redis.pcall('XADD', log, 'MAXLEN', '=', max_events, id, field, record, origin_field, origin)
  if type(reply) == 'table' and reply.err then
    return nil, nil, reply
  end
  seq = seq + 1
  return id, record
end

local results, records = {}, {}
for i = 1, count do
  local key = KEYS[i + 1]
  local id, duplicate = stored[key], 1
  if not id then
    if not epoch then
      begin_epoch()
    end
    local event_type, tail = ARGV[6 + 2 * i], ARGV[7 + 2 * i]
    local record, failure
    id, record, failure = append(event_type, tail)
    if failure and string.find(failure.err, 'equal or smaller', 1, true) then
      -- Somebody deleted the newest entry by hand: its number is spent, so the log cannot go on without a hole.
      begin_epoch()
      id, record, failure = append(event_type, tail)
    end
    if failure then
      error(failure)
    end
    redis.call('SET', key, id, 'PX', idem_ttl)
    stored[key], duplicate = id, 0
    records[#records + 1] = record
  end
  results[#results + 1] = id
  results[#results + 1] = duplicate
end

if #records > 0 then
  redis.call('PEXPIRE', log, log_ttl)
end
for _, record in ipairs(records) do
  redis.call(announce, channel, record)
end
return results
