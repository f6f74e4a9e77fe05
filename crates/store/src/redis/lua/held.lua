-- What a client holds is indexed in one sorted set for each client, whose members are '<user or
-- ->/<kind>/<id>', all with the score 0: by client it is the whole set, by person a range.
local function held(client)
  return tag .. 'held:' .. client
end

local function hold(client, user, kind, id)
  call('ZADD', held(client), 0, (user or '-') .. '/' .. kind .. '/' .. id)
end

local function let_go(client, user, kind, id)
  call('ZREM', held(client), (user or '-') .. '/' .. kind .. '/' .. id)
end

-- The kinds and ids of what a client holds for a person; of one kind, where one is named.
local function holdings(client, user, kind)
  local first = (user or '-') .. '/' .. (kind and kind .. '/' or '')
  local last = string.sub(first, 1, -2) .. '0'
  local found = {}
  for i, member in ipairs(call('ZRANGEBYLEX', held(client), '[' .. first, '(' .. last)) do
    local owner, what, id = string.match(member, '^([^/]*)/([^/]*)/(.*)$')
    found[i] = { user = owner ~= '-' and owner, kind = what, id = id }
    is_there(tag .. what .. ':' .. id) -- fails before anything is written, if it fails
  end
  return found
end

-- Revokes a family; false when there is none or it was revoked before.
local function revoke(id, now)
  local own = tag .. 'family:' .. id
  local was = fields(own, 'client_id', 'user_id', 'revoked_at', 'expires_at')
  if not was[1] or was[3] then return false end
  call('HSET', own, 'revoked_at', now)
  let_go(was[1], was[2], 'family', id)
  local kept = tonumber(now) + 86400
  over_at(own, after(was[4], kept) and kept or was[4])
  return true
end
