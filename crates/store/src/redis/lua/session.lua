-- Ends sessions.
local function drop_session(id, user)
  remove(tag .. 'session:' .. id)
  call('SREM', tag .. 'sessions:' .. user, id)
end

local function drop_sessions(user)
  for _, id in ipairs(call('SMEMBERS', tag .. 'sessions:' .. user)) do drop_session(id, user) end
end
