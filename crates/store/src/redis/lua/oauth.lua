-- What a client holds is indexed in one sorted set for each client, whose members are
-- '<user or ->/<kind>/<id>', all with the score 0: by client it is the whole set, by person a range.
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

-- An access token, taken from the arguments: false for none.
local function take_access()
  if not flag() then return false end
  return { key = key(), fields = record(), over = arg() }
end

local function put_access(access, now)
  if not access then return end
  put(access.key, access.fields)
  fades_at(access.key, access.over, now)
end

-- Tokens that are issued together, taken from the arguments.
local function take_issued()
  local issued = { key = key(), fields = record(), id = arg(), client = arg(), user = maybe() }
  issued.over, issued.replaces, issued.access = arg(), flag(), take_access()
  return issued
end

local function issue(issued, now)
  local others = issued.replaces and holdings(issued.client, issued.user, 'family') or {}
  for _, other in ipairs(others) do revoke(other.id, now) end
  put(issued.key, issued.fields)
  call('HSET', issued.key, 'epoch', epoch())
  hold(issued.client, issued.user, 'family', issued.id)
  over_at(issued.key, issued.over)
  put_access(issued.access, now)
end

-- The names of both scopes, those of the first one first.
local function union(scope, other)
  local known = {}
  for name in string.gmatch(scope, '[^ ]+') do known[name] = true end
  for name in string.gmatch(other, '[^ ]+') do
    if not known[name] then
      scope = scope .. (scope == '' and '' or ' ') .. name
      known[name] = true
    end
  end
  return scope
end

-- A consent, taken from the arguments: false for none.
local function take_consent()
  if not flag() then return false end
  local given = { key = key(), fields = record(), user = arg(), client = arg(), scope = arg() }
  given.of_user = tag .. 'consents:' .. given.user
  return given
end

-- Remembers a consent together with an earlier one of the same person and client.
local function remember(given)
  if not given then return end
  local was = fields(given.key, 'scope', 'created_at')
  put(given.key, given.fields)
  if was[1] then
    call('HSET', given.key, 'scope', union(was[1], given.scope), 'created_at', was[2])
  end
  call('SADD', given.of_user, given.client)
  hold(given.client, given.user, 'consent', given.client)
end

local function drop_consent(user, client)
  local was = call('DEL', tag .. 'consent:' .. user .. ':' .. client) == 1
  call('SREM', tag .. 'consents:' .. user, client)
  let_go(client, user, 'consent', client)
  return was
end

local function drop_code(client, user, id)
  remove(tag .. 'code:' .. id)
  let_go(client, user, 'code', id)
end

local function drop_device(id)
  local own = tag .. 'device:' .. id
  local was = fields(own, 'user_code', 'client_id', 'user_id')
  remove(own)
  if was[1] then
    call('DEL', tag .. 'user_code:' .. was[1])
    let_go(was[2], was[3], 'device', id)
  end
end

-- Takes back what a client holds for a person, but not the consent.
local function take_back(client, user, now)
  for _, one in ipairs(holdings(client, user)) do
    if one.kind == 'code' then
      drop_code(client, user, one.id)
    elseif one.kind == 'family' then
      revoke(one.id, now)
    elseif one.kind == 'device' then
      local own = tag .. 'device:' .. one.id
      if fields(own, 'state')[1] == 'approved' then call('HSET', own, 'state', 'denied') end
    end
  end
end

local function drop_session(id, user)
  remove(tag .. 'session:' .. id)
  call('SREM', tag .. 'sessions:' .. user, id)
end

local function drop_sessions(user)
  for _, id in ipairs(call('SMEMBERS', tag .. 'sessions:' .. user)) do drop_session(id, user) end
end

-- Stores a client. One that takes the id of a client that was removed begins in the next second.
local function add_client(own, id, record, created_at)
  local removed = call('GET', tag .. 'removed:' .. id)
  put(own, record)
  if removed and tonumber(removed) + 1 > tonumber(created_at) then
    call('HSET', own, 'created_at', string.format('%.0f', removed + 1))
  end
  call('ZADD', tag .. 'clients', 0, id)
end

-- A renewal by a refresh token, taken from the arguments.
local function take_renewal()
  local renewal = { over = arg(), idle = arg(), sole = maybe(), new = maybe() }
  renewal.access = take_access()
  return renewal
end

-- The refresh token of a family that can still be used.
local function living(own, now)
  local was = fields(own, 'revoked_at', 'refresh_current', 'refresh_previous',
    'refresh_rotated_at', 'refresh_idle_expires_at', 'refresh_expires_at', 'refresh_uses_left',
    'sole_access', 'expires_at', 'epoch')
  if was[1] or not was[2] or not after(was[5], now) or not after(was[6], now) then return false end
  return { current = was[2], previous = was[3], rotated_at = was[4], over = was[6], uses = was[7],
    sole = was[8], expires_at = was[9], epoch = was[10] }
end

-- Lets the family last as long as what it has given out. Of access tokens that end each other the new
-- one works from now on, even if the client has been told to keep its tokens since.
local function keep(own, was, renewal, now)
  local over = later(was.expires_at, renewal.over)
  call('HSET', own, 'expires_at', over)
  over_at(own, over)
  local sole = renewal.sole or (was.sole and renewal.new)
  if sole then call('HSET', own, 'sole_access', sole) else call('HDEL', own, 'sole_access') end
  put_access(renewal.access, now)
end

-- The same, and as long as the refresh token.
local function renew(own, was, renewal, now)
  local idle = after(was.over, renewal.idle) and renewal.idle or was.over
  keep(own, { expires_at = later(was.expires_at, idle), sole = was.sole }, renewal, now)
end
