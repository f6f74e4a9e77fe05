-- What every script begins with. KEYS[1] is the hash `meta` of the family; all keys of a family
-- begin with the same hash tag. A script reads whatever it needs before it writes anything.
local call = redis.call
local meta = KEYS[1]
local tag = string.sub(meta, 1, -5)
local next_key, next_arg, writes, number = 1, 3, 0, 0

local function key()
  next_key = next_key + 1
  return KEYS[next_key]
end

local function arg()
  next_arg = next_arg + 1
  return ARGV[next_arg]
end

-- An argument that may be missing: empty then.
local function maybe()
  local value = arg()
  if value == '' then return nil end
  return value
end

local function flag()
  return arg() == '1'
end

-- The fields of a record, names and values in turn.
local function record()
  local fields = {}
  for i = 1, 2 * tonumber(arg()) do fields[i] = arg() end
  return fields
end

local function put(own, fields)
  call('HSET', own, unpack(fields))
end

-- A hash as it is answered: false for none.
local function hash(own)
  local fields = call('HGETALL', own)
  return #fields > 0 and fields
end

local function fields(own, ...)
  return call('HMGET', own, ...)
end

local function is_there(own)
  return call('EXISTS', own) == 1
end

-- Whether a moment is after another one; both may be text.
local function after(moment, other)
  return tonumber(moment) > tonumber(other)
end

local function later(one, other)
  if after(one, other) then return one end
  return other
end

-- Says when a record is of no more use, for the sweep.
local function over_at(own, moment)
  call('ZADD', tag .. 'expiry', moment, string.sub(own, #tag + 1))
end

-- The same, and lets Redis remove it a day after, where no index knows of it and nobody sweeps.
local function fades_at(own, moment, now)
  over_at(own, moment)
  local left = math.min(math.max(moment - now, 0) + 86400, 3153600000)
  call('EXPIRE', own, string.format('%.0f', left))
end

local function remove(own)
  call('DEL', own)
  call('ZREM', tag .. 'expiry', string.sub(own, #tag + 1))
end

-- Records that other nodes keep in memory have changed.
local function changed()
  call('HINCRBY', meta, 'generation', 1)
  call('PUBLISH', tag .. 'changed', '')
end

local function history()
  return string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- Whether the server has gone back behind what the caller knows.
local function gone_back(epoch, count)
  local known, seen = tonumber(ARGV[2]), tonumber(ARGV[3])
  return epoch < known or (epoch == known and count < seen)
end

-- The number of the epoch, after a look at who answers; for what is issued or spent once. Counts.
local function epoch()
  if number ~= 0 then return tostring(number) end
  local was, own = fields(meta, 'epoch', 'history', 'writes'), history()
  local count = tonumber(was[3] or 0)
  number = tonumber(was[1] or 1)
  local back = gone_back(number, count)
  if was[2] ~= own or back then
    if was[2] and (ARGV[1] == '1' or back) then
      number = math.max(number, tonumber(ARGV[2])) + 1
    end
    call('HSET', meta, 'epoch', number, 'history', own)
  end
  writes = call('HINCRBY', meta, 'writes', 1)
  return tostring(number)
end

-- Whether what has this epoch is still good; writes nothing.
local function is_current(epoch)
  local was = fields(meta, 'epoch', 'history', 'writes')
  if not was[1] or epoch ~= was[1] then return false end
  if gone_back(tonumber(was[1]), tonumber(was[3] or 0)) then return false end
  return ARGV[1] ~= '1' or was[2] == history()
end

-- Whether a hash is as it was read.
local function is_still(own, expected, but)
  local flat, there, wanted, count = call('HGETALL', own), {}, 0, 0
  for i = 1, #flat, 2 do
    if flat[i] ~= but then there[flat[i]] = flat[i + 1]; count = count + 1 end
  end
  for i = 1, #expected, 2 do
    if expected[i] ~= but then
      if there[expected[i]] ~= expected[i + 1] then return false end
      wanted = wanted + 1
    end
  end
  return count > 0 and count == wanted
end
