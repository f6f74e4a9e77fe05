// A client of its own for each flow, by dynamic registration (RFC 7591).

import assert from 'node:assert/strict'

/** Registers at the server of `own`; the answer. */
export async function register(own, metadata) {
  const asked = { redirect_uris: [own.redirect_uri], scope: 'openid email read', ...metadata }
  const answer = await fetch(new URL('/register', own.issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(asked),
  })
  assert.equal(answer.status, 201, await answer.clone().text())
  return answer.json()
}

/** What a program registers that acts for itself. */
export const MACHINE = {
  grant_types: ['client_credentials', 'refresh_token'],
  redirect_uris: [],
  response_types: [],
}
