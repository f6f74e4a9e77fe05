-- Records that are carried from another store. `into` says how each kind is put there with what is
-- indexed of it, `out_of` how it is taken away with that.
local into, out_of = {}, {}

local function plain(own)
  put(own.key, own.fields)
end

local function ending(own)
  plain(own)
  over_at(own.key, own.of.expires_at)
end

local function spendable(own)
  ending(own)
  call('HSET', own.key, 'epoch', epoch())
end

local function gone(own)
  remove(own.key)
end

-- Only the moment until which it is remembered.
local function moment(own)
  call('SET', own.key, own.of.expires_at)
  over_at(own.key, own.of.expires_at)
end

local function was_of(own, ...)
  return unpack(fields(own.key, ...))
end

local function take_carried()
  local own = { key = key(), id = arg(), kind = arg(), place = maybe(), fields = record(), of = {} }
  for i = 1, #own.fields, 2 do own.of[own.fields[i]] = own.fields[i + 1] end
  return own
end

local function import()
  for _ = 1, tonumber(arg()) do
    local own = take_carried()
    if own.kind ~= 'entry' and is_there(own.key) then out_of[own.kind](own) end
    into[own.kind](own)
  end
  if flag() then changed() end
end

local function take_away()
  for _ = 1, tonumber(arg()) do
    local own = take_carried()
    if is_there(own.key) then out_of[own.kind](own) end
  end
  if flag() then changed() end
end
