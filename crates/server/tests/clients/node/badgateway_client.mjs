// @badgateway/oauth2-client against Grantor: discovery, code + PKCE, a fetch that refreshes.

import assert from 'node:assert/strict'
import { OAuth2Client, OAuth2Fetch, generateCodeVerifier } from '@badgateway/oauth2-client'
import { Person } from './person.mjs'

const own = JSON.parse(process.argv[2])
const discovered = { server: own.issuer, discoveryEndpoint: '/.well-known/oauth-authorization-server' }

for (const authenticationMethod of
  ['client_secret_basic', 'client_secret_basic_interop', 'client_secret_post']) {
  const client = new OAuth2Client({
    ...discovered, clientId: own.client_id, clientSecret: own.client_secret, authenticationMethod,
  })
  await code(client)
}

async function code(client) {
  const codeVerifier = await generateCodeVerifier()
  const asked = { redirectUri: own.redirect_uri, state: 'q7Zt1', codeVerifier }
  const uri = await client.authorizationCode.getAuthorizeUri({ ...asked, scope: ['openid', 'read'] })
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
