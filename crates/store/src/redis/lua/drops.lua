-- What is taken back from clients and people.
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
