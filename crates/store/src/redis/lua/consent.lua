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
