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
