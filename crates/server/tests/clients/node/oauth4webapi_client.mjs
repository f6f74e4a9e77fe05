// oauth4webapi, which checks all that a client must: discovery, code + PKCE, iss, refresh, and what
// needs no code.

import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { Person } from './person.mjs'
import { MACHINE } from './registered.mjs'

const own = JSON.parse(process.argv[2])
const http = { [oauth.allowInsecureRequests]: true }

const issuer = new URL(own.issuer)
const discover = async (algorithm) => {
  const answer = await oauth.discoveryRequest(issuer, { ...http, algorithm })
  return oauth.processDiscoveryResponse(issuer, answer)
}
const server = await discover('oidc')
assert.equal((await discover('oauth2')).token_endpoint, server.token_endpoint)
assert.equal(server.authorization_response_iss_parameter_supported, true)

await Promise.all([code(), machine(), jwt(), device()]) // devices wait

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
  for (const [name, value] of [['iss', 'https://a.example'], ['iss', undefined], ['state', 'x']]) {
    const other = changed(back, name, value)
    assert.throws(() => oauth.validateAuthResponse(server, client, other, state))
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

/** A client of its own, by dynamic registration. */
async function registered(metadata) {
  const asked = { redirect_uris: [own.redirect_uri], scope: 'openid email read', ...metadata }
  const answer = await oauth.dynamicClientRegistrationRequest(server, asked, http)
  return oauth.processDynamicClientRegistrationResponse(answer)
}

async function machine() {
  const client = await registered(MACHINE)
  const authentication = oauth.ClientSecretPost(client.client_secret)
  const tokens = await credentials(client, authentication, { scope: 'read' })
  const introspected = async () => oauth.processIntrospectionResponse(
    server, client,
    await oauth.introspectionRequest(server, client, authentication, tokens.access_token, http),
  )
  const found = await introspected()
  assert.deepEqual([found.active, found.client_id], [true, client.client_id])

  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, tokens.access_token, http),
  )
  assert.equal((await introspected()).active, false)

  await refuses(credentials(client, oauth.ClientSecretBasic('wrong'), {}), {
    name: 'WWWAuthenticateChallengeError', status: 401,
  })
}

async function credentials(client, authentication, parameters) {
  const answer = await oauth.clientCredentialsGrantRequest(
    server, client, authentication, parameters, http,
  )
  return oauth.processClientCredentialsResponse(server, client, answer)
}

/** A token that the API verifies by itself (RFC 9068), exchanged for a narrower one (RFC 8693). */
async function jwt() {
  const client = own.clients.signed
  const authentication = oauth.ClientSecretBasic(client.client_secret)
  const { access_token: token } = await credentials(client, authentication, { scope: 'read write' })
  const verify = (text, audience) => oauth.validateJwtAccessToken(
    server, new Request(issuer, { headers: { authorization: `Bearer ${text}` } }), audience, http,
  )
  const claims = await verify(token, own.issuer)
  assert.deepEqual([claims.client_id, claims.scope], [client.client_id, 'read write'])
  await assert.rejects(verify(token, 'https://another.example'))

  const exchange = await oauth.genericTokenEndpointRequest(
    server, client, authentication, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'read',
    }, http,
  )
  const narrower = await oauth.processGenericTokenEndpointResponse(server, client, exchange)
  assert.equal((await verify(narrower.access_token, own.issuer)).scope, 'read')
}

async function device() {
  const grant = 'urn:ietf:params:oauth:grant-type:device_code'
  const client = await registered({
    grant_types: [grant, 'refresh_token'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'none',
  })
  const scope = 'openid read'
  const asked = await oauth.processDeviceAuthorizationResponse(
    server, client,
    await oauth.deviceAuthorizationRequest(server, client, oauth.None(), { scope }, http),
  )
  const poll = async () => oauth.processDeviceCodeResponse(
    server, client,
    await oauth.deviceCodeGrantRequest(server, client, oauth.None(), asked.device_code, http),
  )
  await refuses(poll(), { error: 'authorization_pending', status: 400 })
  await refuses(poll(), { error: 'slow_down', status: 400 })
  await new Person(own).allowDevice(asked.verification_uri_complete)
  // Slower now, as it was told.
  await new Promise((resolve) => setTimeout(resolve, (asked.interval + 5) * 1000))
  const tokens = await poll()
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).aud, client.client_id)
  await refuses(poll(), { error: 'invalid_grant' })
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
