// A web application that signs people in with passport and passport-oauth2.

import assert from 'node:assert/strict'
import http from 'node:http'
import passport from 'passport'
import OAuth2Strategy from 'passport-oauth2'
import { Person } from './person.mjs'

const own = JSON.parse(process.argv[2])

/** The profile comes from the userinfo endpoint. */
class GrantorStrategy extends OAuth2Strategy {
  userProfile(accessToken, done) {
    this._oauth2.useAuthorizationHeaderforGET(true)
    this._oauth2.get(`${own.issuer}/userinfo`, accessToken, (error, body) =>
      error ? done(error) : done(null, JSON.parse(body)))
  }
}

const app = await listen()
const origin = `http://127.0.0.1:${app.address().port}`
passport.use(new GrantorStrategy(
  {
    authorizationURL: `${own.issuer}/authorize`,
    tokenURL: `${own.issuer}/token`,
    clientID: own.client_id,
    clientSecret: own.client_secret,
    callbackURL: `${origin}/callback`,
    scope: ['openid', 'profile', 'email', 'offline_access'],
    state: true,
    pkce: true,
  },
  (accessToken, refreshToken, parameters, profile, done) =>
    done(null, { accessToken, refreshToken, idToken: parameters.id_token, email: profile.email }),
))

/** Signing in at /login; who came back at /callback. */
function listen() {
  const session = {} // there is one person
  const signIn = passport.authenticate('oauth2', { session: false })
  const server = http.createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://127.0.0.1')
    Object.assign(request, { query: Object.fromEntries(searchParams), session })
    signIn(request, response, (error) => {
      response.statusCode = error ? 502 : 200
      response.end(JSON.stringify(error ? { code: error.code } : request.user))
    })
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

const start = async () => {
  const answer = await fetch(`${origin}/login`, { redirect: 'manual' })
  assert.equal(answer.status, 302)
  return answer.headers.get('location')
}
const person = new Person({ ...own, redirect_uri: `${origin}/callback` })
const back = await person.open(await start())
const user = await (await fetch(back)).json()
assert.equal(user.email, own.email)
assert.ok(user.accessToken && user.refreshToken && user.idToken)

// A code that somebody else brings along has no state here.
assert.equal((await fetch(back)).status, 403)
// The library understands the error of a code that is spent.
const again = new URL(await start())
back.searchParams.set('state', again.searchParams.get('state'))
const refused = await fetch(back)
assert.equal(refused.status, 502)
assert.equal((await refused.json()).code, 'invalid_grant')

app.close()
app.closeAllConnections()
