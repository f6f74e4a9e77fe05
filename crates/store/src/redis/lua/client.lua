-- Stores a client. One that takes the id of a client that was removed begins in the next second.
local function add_client(own, id, record, created_at)
  local removed = call('GET', tag .. 'removed:' .. id)
  put(own, record)
  if removed and tonumber(removed) + 1 > tonumber(created_at) then
    call('HSET', own, 'created_at', string.format('%.0f', removed + 1))
  end
  call('ZADD', tag .. 'clients', 0, id)
end
