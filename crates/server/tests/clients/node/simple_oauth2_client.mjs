// simple-oauth2 against Grantor: code flow, refresh, errors.

import assert from 'node:assert/strict'
import { AuthorizationCode } from 'simple-oauth2'
import { Person } from './person.mjs'

const own = JSON.parse(process.argv[2])
const auth = {
  tokenHost: own.issuer,
  tokenPath: '/token',
  authorizePath: '/authorize',
  revokePath: '/revoke',
}
const secured = (token) =>
  fetch(new URL('/api-secure-data', own.issuer), { headers: { authorization: `Bearer ${token}` } })
    .then((answer) => answer.status)

for (const authorizationMethod of ['header', 'body']) {
  const client = new AuthorizationCode({
    client: { id: own.client_id, secret: own.client_secret }, auth, options: { authorizationMethod },
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
