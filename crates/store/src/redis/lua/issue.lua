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
