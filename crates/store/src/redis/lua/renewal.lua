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

-- Lets the family last as long as what it has given out. Of access tokens that end each other the
-- new one works from now on, even if the client has been told to keep its tokens since.
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
