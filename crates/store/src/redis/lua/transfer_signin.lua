into.attempt = function(own)
  spendable(own)
  call('ZADD', tag .. 'asked:' .. own.of.email, own.of.created_at, own.id)
  over_at(own.key, later(own.of.expires_at, tonumber(own.of.created_at) + 3600))
end
out_of.attempt = function(own)
  call('ZREM', tag .. 'asked:' .. was_of(own, 'email'), own.id)
  gone(own)
end

into.external = spendable
out_of.external = gone

into.mail = function(own)
  ending(own)
  call('ZADD', tag .. 'mails', own.of.due_at, own.id)
end
out_of.mail = function(own)
  gone(own)
  call('ZREM', tag .. 'mails', own.id)
end
