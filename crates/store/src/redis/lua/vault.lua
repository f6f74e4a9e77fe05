-- Connections, their indexes, and what is written together with a change.
local function key_of(kind, id)
  return tag .. kind .. ':' .. id
end

-- In names of two parts, so that the first colon ends the first part.
local function escaped(part)
  return (string.gsub(part, '[%%:]', { ['%'] = '%25', [':'] = '%3A' }))
end

local function account(own)
  return key_of('account', own.sub), escaped(own.integration) .. ':' .. own.subject
end

-- A connection, taken from the arguments.
local function take_connection()
  return { key = key(), fields = record(), id = arg(), integration = arg(), subject = arg(),
    sub = arg(), email = maybe(), status = arg(), due = maybe() }
end

-- What of a connection is in indexes; false for none.
local function indexed(id)
  local own = key_of('connection', id)
  local was = fields(own, 'integration', 'subject', 'account_sub', 'account_email', 'status',
    'due_at', 'generation', 'version', 'reauth', 'data_key')
  return was[1] and { key = own, id = id, integration = was[1], subject = was[2], sub = was[3],
    email = was[4], status = was[5], due = was[6], generation = was[7], version = was[8],
    reauth = was[9] }
end

local function count(status, integration, by)
  call('HINCRBY', tag .. 'counts', status .. ':' .. integration, by)
end

-- Moves a connection from one status to another; nil for none.
local function restate(own, from, to)
  if from == to then return end
  if from then
    count(from, own.integration, -1)
    call('ZREM', key_of('status', from), own.id)
  end
  if to then
    count(to, own.integration, 1)
    if to ~= 'active' then call('ZADD', key_of('status', to), 0, own.id) end
  end
end

local function due(own, moment)
  if moment then
    call('ZADD', tag .. 'due', moment, own.id)
  else
    call('ZREM', tag .. 'due', own.id)
  end
end

local function readdress(own, from, to)
  from, to = from and string.lower(from), to and string.lower(to)
  if from == to then return end
  if from then call('SREM', key_of('address', from), own.id) end
  if to then call('SADD', key_of('address', to), own.id) end
end

local function plain_indexes(own)
  return { tag .. 'connections', key_of('integration', own.integration),
    key_of('subject', own.subject),
    key_of('pair', escaped(own.integration) .. ':' .. own.subject) }
end

local function add_connection(own)
  put(own.key, own.fields)
  for _, index in ipairs(plain_indexes(own)) do call('ZADD', index, 0, own.id) end
  local of, field = account(own)
  call('HSET', of, field, own.id)
  restate(own, nil, own.status)
  due(own, own.due)
  readdress(own, nil, own.email)
end

local function drop_connection(own)
  call('DEL', own.key)
  for _, index in ipairs(plain_indexes(own)) do call('ZREM', index, own.id) end
  local of, field = account(own)
  call('HDEL', of, field)
  restate(own, own.status, nil)
  due(own, nil)
  readdress(own, own.email, nil)
end

-- What may be missing, and is not replaced when it is.
local optional = { 'expires_at', 'refresh_expires_at', 'rotates', 'variables', 'trouble',
  'account_email', 'account_name', 'account_organization' }
local of_status = { status = true, reauth = true, disconnecting_since = true, due_at = true }
-- Whose it is, when it was made and when it was last used.
local lasting = { id = true, integration = true, subject = true, account_sub = true,
  created_at = true, last_used_at = true }

-- Replaces what may change of a connection; with `stays`, not its status and when it is due.
local function update_connection(was, own, stays)
  local kept = {}
  for i = 1, #own.fields, 2 do
    local name = own.fields[i]
    if not lasting[name] and not (stays and of_status[name]) then
      kept[#kept + 1] = name
      kept[#kept + 1] = own.fields[i + 1]
    end
  end
  call('HDEL', was.key, unpack(optional))
  if not stays then
    call('HDEL', was.key, 'reauth', 'disconnecting_since', 'due_at')
    restate(was, was.status, own.status)
    due(was, own.due)
  end
  put(was.key, kept)
  readdress(was, was.email, own.email)
end

local function under(data_key)
  local id = string.gsub(string.sub(data_key, 2, 9), '.', function(byte)
    return string.format('%02x', string.byte(byte))
  end)
  return key_of('under', id), id
end

local function file_data_key(id, from, to)
  if from then call('ZREM', under(from), id) end
  if to then
    local index, key_id = under(to)
    call('ZADD', index, 0, id)
    call('SADD', tag .. 'key_ids', key_id)
  end
end

-- Tokens, taken from the arguments.
local function take_credential()
  return { key = key(), fields = record(), data_key = arg() }
end

-- What is written together with a change, taken from the arguments.
local function take_recorded()
  local own = { sequence = arg(), hash = arg(), audit = {}, notices = {} }
  for i = 1, tonumber(arg()) do own.audit[i] = record() end
  for i = 1, tonumber(arg()) do
    own.notices[i] = { key = key(), fields = record(), id = arg(), endpoint = arg(), due = arg(),
      over = arg() }
  end
  return own
end

local function last_entry()
  local last = call('XREVRANGE', tag .. 'audit', '+', '-', 'COUNT', 1)[1]
  if not last then return '0', '' end
  for i = 1, #last[2], 2 do
    if last[2][i] == 'hash' then return string.match(last[1], '^%d+'), last[2][i + 1] end
  end
end

-- Whether the last entry is not the one that the hashes were made of: somebody has written, or what
-- was last is lost and another one is in its place.
local function is_stale(recorded)
  local sequence, hash = last_entry()
  return #recorded.audit > 0 and (recorded.sequence ~= sequence
    or sequence ~= '0' and recorded.hash ~= hash)
end

local function write_recorded(recorded)
  for i, entry in ipairs(recorded.audit) do
    local sequence = string.format('%.0f', recorded.sequence + i)
    call('XADD', tag .. 'audit', sequence .. '-0', unpack(entry))
  end
  for _, notice in ipairs(recorded.notices) do
    put(notice.key, notice.fields)
    call('ZADD', key_of('notices', notice.endpoint), notice.due, notice.id)
    call('HINCRBY', meta, 'notices', 1)
    over_at(notice.key, notice.over)
  end
end

-- An outcome, with the last entry of the audit log, which the next hash is made of.
local function told(outcome)
  local sequence, hash = last_entry()
  return { outcome or false, sequence, hash }
end

local function drop_notice(id)
  local own = key_of('notice', id)
  local endpoint = call('HGET', own, 'endpoint')
  if not endpoint then return end
  remove(own)
  call('ZREM', key_of('notices', endpoint), id)
  call('HINCRBY', meta, 'notices', -1)
end
