into.client = function(own)
  plain(own)
  call('ZADD', tag .. 'clients', 0, own.id)
end
out_of.client = function(own)
  gone(own)
  call('ZREM', tag .. 'clients', own.id)
end

into.removed = function(own)
  call('SET', own.key, own.of.removed_at)
  over_at(own.key, tonumber(own.of.removed_at) + 60)
end
out_of.removed = gone

into.initial = function(own)
  spendable(own)
  call('ZADD', tag .. 'initials', own.of.created_at, own.id)
end
out_of.initial = function(own)
  gone(own)
  call('ZREM', tag .. 'initials', own.id)
end

into.user = function(own)
  plain(own)
  if own.of.username then call('SET', tag .. 'username:' .. own.of.username, own.id) end
  if own.of.email then call('SET', tag .. 'email:' .. own.of.email, own.id) end
  local subject = own.of.external_subject
  if subject then call('SET', tag .. 'subject:' .. subject, own.id) end
  call('ZADD', tag .. 'users', own.of.created_at, own.id)
end
out_of.user = function(own)
  local username, email, subject = was_of(own, 'username', 'email', 'external_subject')
  gone(own)
  if username then call('DEL', tag .. 'username:' .. username) end
  if email then call('DEL', tag .. 'email:' .. email) end
  if subject then call('DEL', tag .. 'subject:' .. subject) end
  call('ZREM', tag .. 'users', own.id)
end

into.session = function(own)
  plain(own)
  call('SADD', tag .. 'sessions:' .. own.of.user_id, own.id)
  local idle, over = own.of.idle_expires_at, own.of.expires_at
  over_at(own.key, after(idle, over) and over or idle)
end
out_of.session = function(own)
  drop_session(own.id, (was_of(own, 'user_id')))
end

into.consent = function(own)
  local user, client = own.of.user_id, own.of.client_id
  plain(own)
  call('SADD', tag .. 'consents:' .. user, client)
  hold(client, user, 'consent', client)
end
out_of.consent = function(own)
  drop_consent(was_of(own, 'user_id', 'client_id'))
end

into.request = ending
out_of.request = gone

into.code = function(own)
  local of = own.of
  spendable(own)
  if not of.spent_at then hold(of.client_id, of.user_id, 'code', own.id) end
  if of.redeemed_as then over_at(own.key, tonumber(of.expires_at) + 3600) end
end
out_of.code = function(own)
  local client, user = was_of(own, 'client_id', 'user_id')
  drop_code(client, user, own.id)
end

into.device = function(own)
  local of = own.of
  spendable(own)
  call('SET', tag .. 'user_code:' .. of.user_code, own.id)
  hold(of.client_id, of.user_id, 'device', own.id)
  if of.redeemed_as then over_at(own.key, tonumber(of.expires_at) + 3600) end
end
out_of.device = function(own)
  drop_device(own.id)
end

into.family = function(own)
  local of = own.of
  spendable(own)
  if not of.revoked_at then return hold(of.client_id, of.user_id, 'family', own.id) end
  local kept = tonumber(of.revoked_at) + 86400
  over_at(own.key, after(of.expires_at, kept) and kept or of.expires_at)
end
out_of.family = function(own)
  local client, user = was_of(own, 'client_id', 'user_id')
  gone(own)
  let_go(client, user, 'family', own.id)
end

into.access = ending
out_of.access = gone
into.revoked = moment
out_of.revoked = gone
