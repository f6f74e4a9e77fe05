// oauth4webapi, which checks all that a client must: discovery, code + PKCE, iss, refresh.

import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { Person } from './person.mjs'

const own = JSON.parse(process.argv[2])
const http = { [oauth.allowInsecureRequests]: true }

const issuer = new URL(own.issuer)
const discover = async (algorithm) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm }))
const server = await discover('oidc')
assert.equal((await discover('oauth2')).token_endpoint, server.token_endpoint)
assert.equal(server.authorization_response_iss_parameter_supported, true)

await code()

async function code() {
  const client = { client_id: own.client_id, require_auth_time: true, default_max_age: 600 }
  const authentication = oauth.ClientSecretBasic(own.client_secret)
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: own.client_id,
    redirect_uri: own.redirect_uri,
    response_type: 'code',
    scope: 'openid profile email read',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    max_age: client.default_max_age,
    state,
    nonce,
  })
  const back = await new Person(own).open(url)
  const parameters = oauth.validateAuthResponse(server, client, back, state)
  for (const [name, value] of [['iss', 'https://another.example'], ['iss', undefined], ['state', 'x']]) {
    assert.throws(() => oauth.validateAuthResponse(server, client, changed(back, name, value), state))
  }

  const redeem = () => oauth.authorizationCodeGrantRequest(
    server, client, authentication, parameters, own.redirect_uri, verifier, http,
  )
  const answer = await redeem()
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
    expectedNonce: nonce,
    requireIdToken: true,
  })
  await oauth.validateApplicationLevelSignature(server, answer, http)
  const { sub, auth_time: signedInAt } = oauth.getValidatedIdTokenClaims(tokens)
  assert.equal(typeof signedInAt, 'number')

  const userInfo = await oauth.userInfoRequest(server, client, tokens.access_token, http)
  const me = await oauth.processUserInfoResponse(server, client, sub, userInfo)
  assert.equal(me.email, own.email)
  const api = await oauth.protectedResourceRequest(
    tokens.access_token, 'GET', new URL('/protected', issuer), undefined, undefined, http,
  )
  assert.deepEqual(await api.json(), { data: 'This is protected data' })
  await refuses(
    oauth.protectedResourceRequest(
      'grt_at_none', 'GET', new URL('/protected', issuer), undefined, undefined, http,
    ),
    { name: 'WWWAuthenticateChallengeError', status: 401 },
  )

  const refreshing = await oauth.refreshTokenGrantRequest(
    server, client, authentication, tokens.refresh_token, http,
  )
  const newer = await oauth.processRefreshTokenResponse(server, client, refreshing)
  await oauth.validateApplicationLevelSignature(server, refreshing, http)
  assert.notEqual(newer.access_token, tokens.access_token)

  await refuses(oauth.processAuthorizationCodeResponse(server, client, await redeem()), {
    name: 'ResponseBodyError', error: 'invalid_grant', status: 400,
  })
}

function changed(url, name, value) {
  const other = new URL(url)
  if (value === undefined) other.searchParams.delete(name)
  else other.searchParams.set(name, value)
  return other
}

async function refuses(promise, expected) {
  await assert.rejects(promise, (error) => {
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value)
    return true
  })
}
