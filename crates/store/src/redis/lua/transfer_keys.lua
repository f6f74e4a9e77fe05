into.signing_key = function(own)
  plain(own)
  if own.of.retires_at then over_at(own.key, own.of.retires_at) end
  call('ZADD', tag .. 'signing_keys', own.place, own.id)
  local made = fields(meta, 'keys_made')[1]
  if not made or after(own.place, made) then call('HSET', meta, 'keys_made', own.place) end
end
out_of.signing_key = function(own)
  gone(own)
  call('ZREM', tag .. 'signing_keys', own.id)
end

into.secret = function(own)
  call('HSET', own.key, own.id, own.of.sealed)
end
out_of.secret = function(own)
  call('HDEL', own.key, own.id)
end
