// simple-oauth2 against Grantor: each grant that it has, refresh, revocation, errors.

import assert from 'node:assert/strict'
import { AuthorizationCode, ClientCredentials, ResourceOwnerPassword } from 'simple-oauth2'
import { Person } from './person.mjs'
import { MACHINE, register } from './registered.mjs'

const own = JSON.parse(process.argv[2])
const auth = { tokenHost: own.issuer, tokenPath: '/token', revokePath: '/revoke' }
const secured = (token) =>
  fetch(new URL('/api-secure-data', own.issuer), { headers: { authorization: `Bearer ${token}` } })
    .then((answer) => answer.status)

for (const authorizationMethod of ['header', 'body']) {
  await code(authorizationMethod)
  await credentials(authorizationMethod)
  await password(authorizationMethod)
}

async function code(authorizationMethod) {
  const client = new AuthorizationCode({
    client: { id: own.client_id, secret: own.client_secret },
    auth: { ...auth, authorizePath: '/authorize' },
    options: { authorizationMethod },
  })
  const state = 'k3Jz9'
  const back = await new Person(own).open(
    client.authorizeURL({ redirect_uri: own.redirect_uri, scope: ['openid', 'read'], state }),
  )
  assert.equal(back.searchParams.get('state'), state)
  const redemption = { code: back.searchParams.get('code'), redirect_uri: own.redirect_uri }

  const first = await client.getToken(redemption)
  assert.equal(first.expired(), false)
  assert.equal(first.token.scope, 'openid read')
  assert.equal(await secured(first.token.access_token), 200)
  const second = await first.refresh()
  assert.notEqual(second.token.access_token, first.token.access_token)
  assert.equal(await secured(second.token.access_token), 200)
  const third = await second.refresh({ scope: 'read' })
  assert.equal(third.token.scope, 'read')

  await assert.rejects(client.getToken(redemption), (error) => {
    assert.equal(error.output.statusCode, 400)
    assert.equal(error.data.payload.error, 'invalid_grant')
    return true
  })
}

async function credentials(authorizationMethod) {
  const made = await register(own, MACHINE)
  const client = new ClientCredentials({
    client: { id: made.client_id, secret: made.client_secret },
    auth,
    options: { authorizationMethod },
    http: { json: true }, // takes the empty answer to a revocation (RFC 7009 §2.2)
  })
  const first = await client.getToken({ scope: 'read' })
  assert.equal(await secured(first.token.access_token), 200)
  const second = await first.refresh()
  assert.equal(await secured(second.token.access_token), 200)
  await second.revoke('access_token')
  assert.equal(await secured(second.token.access_token), 401)
  await second.revokeAll()
  await assert.rejects(second.refresh(), (error) => error.data.payload.error === 'invalid_grant')
}

async function password(authorizationMethod) {
  const { client_id: id, client_secret: secret } = own.clients.legacy
  const client = new ResourceOwnerPassword({
    client: { id, secret }, auth, options: { authorizationMethod },
  })
  const who = { username: own.username, password: own.password, scope: 'email read' }
  const { token } = await client.getToken(who)
  assert.equal(await secured(token.access_token), 200)
  await assert.rejects(client.getToken({ ...who, password: 'wrong' }), (error) =>
    error.output.statusCode === 400 && error.data.payload.error === 'invalid_grant')
}
