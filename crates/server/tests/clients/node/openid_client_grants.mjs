// openid-client against Grantor: registration, what has no code, devices, assertions, tokens' ends.

import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { Person } from './person.mjs'
import { MACHINE } from './registered.mjs'

const own = JSON.parse(process.argv[2])
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

await Promise.all([machine(), assertion(), fragment(), hybrid(), device()]) // devices wait

/** A client of its own, by dynamic registration. */
async function registered(metadata, authentication) {
  const config = await client.dynamicClientRegistration(
    new URL(own.issuer),
    { redirect_uris: [own.redirect_uri], scope: 'openid email read', ...metadata },
    authentication,
    { execute: [client.allowInsecureRequests] },
  )
  client.enableNonRepudiationChecks(config)
  return config
}

async function machine() {
  const config = await registered(MACHINE)
  assert.ok(config.clientMetadata().client_secret)
  const tokens = await client.clientCredentialsGrant(config, { scope: 'read' })
  const found = await client.tokenIntrospection(config, tokens.access_token)
  assert.deepEqual(
    [found.active, found.client_id, found.scope],
    [true, config.clientMetadata().client_id, 'read'],
  )
  await reads(config, tokens.access_token)
  const newer = await client.refreshTokenGrant(config, tokens.refresh_token)
  await client.tokenRevocation(config, newer.access_token, { token_type_hint: 'access_token' })
  assert.deepEqual(await client.tokenIntrospection(config, newer.access_token), { active: false })
  await client.tokenRevocation(config, newer.refresh_token)
  await assert.rejects(client.refreshTokenGrant(config, newer.refresh_token), {
    error: 'invalid_grant',
  })
  await assert.rejects(client.clientCredentialsGrant(config, { scope: 'read nothing' }), {
    error: 'invalid_scope', status: 400,
  })
}

async function assertion() {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'],
  )
  const exported = await crypto.subtle.exportKey('jwk', publicKey)
  const jwk = { ...exported, kid: '1', use: 'sig', alg: 'ES256' }
  const config = await registered(
    { ...MACHINE, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
    client.PrivateKeyJwt({ key: privateKey, kid: '1' }),
  )
  const tokens = await client.clientCredentialsGrant(config, { scope: 'read' })
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true)
  await client.tokenRevocation(config, tokens.access_token)
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false)

  const shared = await registered(
    { ...MACHINE, token_endpoint_auth_method: 'client_secret_jwt' }, client.ClientSecretJwt(),
  )
  const { access_token: token } = await client.clientCredentialsGrant(shared, { scope: 'read' })
  await reads(shared, token)
}

/** response_type=id_token: who signed in, and nothing else. */
async function fragment() {
  const metadata = { grant_types: ['implicit'], response_types: ['id_token'] }
  const config = await registered(metadata, client.None())
  client.useIdTokenResponseType(config)
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: own.redirect_uri, scope: 'openid email', state, nonce,
  })
  const back = await new Person(own).open(url)
  assert.equal(back.search, '')
  const checked = (nonce) =>
    client.implicitAuthentication(config, back, nonce, { expectedState: state })
  const claims = await checked(nonce)
  assert.equal(claims.email, own.email) // there is no access token to ask for it with
  await assert.rejects(checked('another'))
}

/** response_type=code id_token: the ID token vouches for code and state (FAPI-like checks). */
async function hybrid() {
  const config = await registered({
    grant_types: ['authorization_code', 'refresh_token', 'implicit'],
    response_types: ['code id_token'],
  })
  client.useCodeIdTokenResponseType(config)
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: own.redirect_uri,
    scope: 'openid email read',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const back = await new Person(own).open(url)
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier, expectedState: state, expectedNonce: nonce,
  })
  await reads(config, tokens.access_token)
}

async function device() {
  const config = await registered({
    grant_types: [DEVICE, 'refresh_token'], redirect_uris: [], response_types: [],
  })
  await Promise.all([allowed(config), denied(config)])
}

async function allowed(config) {
  const asked = await client.initiateDeviceAuthorization(config, { scope: 'openid email read' })
  assert.ok(asked.user_code && asked.verification_uri.startsWith(own.issuer))
  const waiting = client.pollDeviceAuthorizationGrant(config, asked)
  await new Person(own).allowDevice(asked.verification_uri_complete)
  const tokens = await waiting
  assert.ok(tokens.claims().sub)
  await reads(config, tokens.access_token)
}

async function denied(config) {
  const asked = await client.initiateDeviceAuthorization(config, { scope: 'read' })
  await new Person(own).allowDevice(asked.verification_uri_complete, 'deny')
  await assert.rejects(client.pollDeviceAuthorizationGrant(config, asked), {
    error: 'access_denied',
  })
}

async function reads(config, token) {
  const url = new URL('/protected', own.issuer)
  const answer = await client.fetchProtectedResource(config, token, url, 'GET')
  assert.deepEqual(await answer.json(), { data: 'This is protected data' })
}
