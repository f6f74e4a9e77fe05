// openid-client against Grantor: discovery, code + PKCE, userinfo, refresh, a replayed code.

import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { Person } from './person.mjs'

const own = JSON.parse(process.argv[2])
const authentication = own.client_secret ? client.ClientSecretPost(own.client_secret) : client.None()
const config = await client.discovery(
  new URL(own.issuer),
  own.client_id,
  // What the client is registered with; the library checks ID tokens against it.
  { id_token_signed_response_alg: own.alg },
  authentication,
  { execute: [client.allowInsecureRequests] },
)
client.enableNonRepudiationChecks(config) // signatures are verified by the published keys

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: own.redirect_uri,
  scope: 'openid profile email read',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
const back = await new Person(own).open(url)
const checks = {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
  maxAge: 600,
}
const tokens = await client.authorizationCodeGrant(config, back, checks)
assert.equal(tokens.expiresIn() > 3500, true)
assert.equal(tokens.scope, 'openid profile email read')
const { sub } = tokens.claims()

const me = await client.fetchUserInfo(config, tokens.access_token, sub)
assert.equal(me.email, own.email)
const api = await client.fetchProtectedResource(
  config, tokens.access_token, new URL('/protected', own.issuer), 'GET',
)
assert.deepEqual(await api.json(), { data: 'This is protected data' })

const newer = await client.refreshTokenGrant(config, tokens.refresh_token)
assert.notEqual(newer.access_token, tokens.access_token)
assert.equal(newer.claims().sub, sub)
await client.fetchUserInfo(config, newer.access_token, sub)

await assert.rejects(client.authorizationCodeGrant(config, back, checks), (error) => {
  assert.equal(error.error, 'invalid_grant')
  assert.equal(error.status, 400)
  return true
})
await assert.rejects(client.fetchUserInfo(config, newer.access_token, sub), (error) => {
  assert.equal(error.status, 401) // the replay revoked what the code had issued
  return true
})

const signOut = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token })
assert.equal(signOut.pathname, '/logout')
