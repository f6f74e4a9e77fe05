into.connection = function(own)
  local of = own.of
  add_connection({ key = own.key, fields = own.fields, id = own.id, integration = of.integration,
    subject = of.subject, sub = of.account_sub, email = of.account_email, status = of.status,
    due = of.due_at })
end
out_of.connection = function(own)
  drop_connection(indexed(own.id))
end

into.credential = function(own)
  plain(own)
  file_data_key(own.id, nil, own.of.data_key)
end
out_of.credential = function(own)
  file_data_key(own.id, (was_of(own, 'data_key')), nil)
  gone(own)
end

into.refresh = plain
out_of.refresh = gone

into.pause = function(own)
  plain(own)
  call('ZADD', tag .. 'pauses', 0, own.id)
end
out_of.pause = function(own)
  gone(own)
  call('ZREM', tag .. 'pauses', own.id)
end

into.connect_session = spendable
out_of.connect_session = gone

into.api_key = function(own)
  plain(own)
  call('ZADD', tag .. 'api_keys', own.of.created_at, own.id)
end
out_of.api_key = function(own)
  gone(own)
  call('ZREM', tag .. 'api_keys', own.id)
end

-- As long after its end as one that comes with a change.
into.notice = function(own)
  plain(own)
  call('ZADD', key_of('notices', own.of.endpoint), own.of.due_at, own.id)
  call('HINCRBY', meta, 'notices', 1)
  over_at(own.key, tonumber(own.of.expires_at) + 2592000)
end
out_of.notice = function(own)
  drop_notice(own.id)
end

-- Makes the log anew with an entry in its place, or without it.
local function rewrite(own, entry)
  local all = call('XRANGE', own.key, '-', '+')
  call('DEL', own.key)
  for _, other in ipairs(all) do
    local sequence = tonumber(string.match(other[1], '^%d+'))
    if entry and sequence >= tonumber(own.id) then
      call('XADD', own.key, own.id .. '-0', unpack(entry))
      entry = nil
    end
    if sequence ~= tonumber(own.id) then call('XADD', own.key, other[1], unpack(other[2])) end
  end
end

into.entry = function(own)
  if after(own.id, (last_entry())) then
    call('XADD', own.key, own.id .. '-0', unpack(own.fields))
  else
    rewrite(own, own.fields)
  end
end
out_of.entry = function(own)
  rewrite(own, nil)
end
