// @badgateway/oauth2-client against Grantor: discovery, each grant that it has, a fetch that
// refreshes, introspection, revocation.

import assert from 'node:assert/strict'
import { OAuth2Client, OAuth2Fetch, generateCodeVerifier } from '@badgateway/oauth2-client'
import { Person } from './person.mjs'
import { MACHINE, register } from './registered.mjs'

const own = JSON.parse(process.argv[2])
const discoveryEndpoint = '/.well-known/oauth-authorization-server'

for (const authenticationMethod of
  ['client_secret_basic', 'client_secret_basic_interop', 'client_secret_post']) {
  const client = (made) => new OAuth2Client({
    server: own.issuer,
    discoveryEndpoint,
    clientId: made.client_id,
    clientSecret: made.client_secret,
    authenticationMethod,
  })
  await code(client(own))
  await credentials(client(await register(own, MACHINE)))
  await password(client(own.clients.legacy))
}

async function code(client) {
  const codeVerifier = await generateCodeVerifier()
  const asked = { redirectUri: own.redirect_uri, state: 'q7Zt1', codeVerifier }
  const scope = ['openid', 'read']
  const uri = await client.authorizationCode.getAuthorizeUri({ ...asked, scope })
  const back = await new Person(own).open(uri)
  const token = await client.authorizationCode.getTokenFromCodeRedirect(back, asked)
  assert.ok(token.accessToken && token.refreshToken && token.expiresAt > Date.now())

  const kept = []
  const session = new OAuth2Fetch({
    client,
    getNewToken: () => assert.fail('the refresh token is enough'),
    getStoredToken: () => ({ ...token, expiresAt: 1 }),
    storeToken: (newer) => kept.push(newer),
    scheduleRefresh: false,
  })
  const api = await session.fetch(`${own.issuer}/api-secure-data`)
  assert.deepEqual(await api.json(), { data: 'This is protected data' })
  assert.equal(kept.length, 1)

  await assert.rejects(client.authorizationCode.getTokenFromCodeRedirect(back, asked), (error) => {
    assert.equal(error.oauth2Code, 'invalid_grant')
    assert.equal(error.httpCode, 400)
    return true
  })
}

async function credentials(client) {
  const token = await client.clientCredentials({ scope: ['read'] })
  assert.equal((await client.introspect(token)).active, true)
  const newer = await client.refreshToken(token)
  await client.revoke(newer, 'refresh_token')
  assert.equal((await client.introspect(newer)).active, false)
  await assert.rejects(client.refreshToken(newer), { oauth2Code: 'invalid_grant' })
}

async function password(client) {
  const who = { username: own.username, scope: ['profile', 'read'] }
  const token = await client.password({ ...who, password: own.password })
  assert.equal((await client.introspect(token)).username, own.username)
  await assert.rejects(client.password({ ...who, password: 'wrong' }), {
    oauth2Code: 'invalid_grant',
  })
}
