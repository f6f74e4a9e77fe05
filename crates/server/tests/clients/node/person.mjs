// A person at a browser, for the client programs: signs in and agrees over HTTP.

const unescape = (text) =>
  text.replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&#39;', "'")
    .replaceAll('&#x2f;', '/').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

const attribute = (tag, name) => {
  const found = new RegExp(`${name}="([^"]*)"`).exec(tag)
  return found ? unescape(found[1]) : undefined
}

/** The form of a page that has a field of this name: where it goes, and its fields. */
function formWith(page, name) {
  for (const part of page.split('<form').slice(1)) {
    const inside = part.split('</form>')[0]
    const fields = new URLSearchParams()
    for (const [tag] of inside.matchAll(/<input[^>]*>/g)) {
      if (attribute(tag, 'name')) fields.set(attribute(tag, 'name'), attribute(tag, 'value') ?? '')
    }
    if (fields.has(name)) return { action: attribute(inside, 'action'), fields }
  }
  throw new Error(`there is no form with ${name}`)
}

export class Person {
  #jar = new Map()

  constructor({ issuer, email, token, redirect_uri: redirectUri }) {
    Object.assign(this, { issuer, email, token, redirectUri })
  }

  /** Goes where the application sends the browser; the URL that leads back to it. */
  async open(url) {
    let page = await this.#follow(url)
    page = await this.#fill(page, 'email', this.email)
    page = await this.#fill(page, 'token', this.token)
    if (page instanceof URL) return page // agreed before
    page = await this.#fill(page, 'request', undefined, { decision: 'allow' })
    if (!(page instanceof URL)) throw new Error('not back at the application')
    return page
  }

  /** Opens what a device shows, signs in and decides. */
  async allowDevice(url, decision = 'allow') {
    let page = await this.#follow(url)
    page = await this.#fill(page, 'email', this.email)
    page = await this.#fill(page, 'token', this.token)
    return this.#fill(page, 'user_code', undefined, { decision })
  }

  async #fill(page, name, value, more = {}) {
    if (page instanceof URL) throw new Error('back at the application too early')
    const { action, fields } = formWith(page, name)
    if (value !== undefined) fields.set(name, value)
    for (const [key, own] of Object.entries(more)) fields.set(key, own)
    return this.#follow(new URL(action, this.issuer), { method: 'POST', body: fields })
  }

  async #follow(url, options = {}) {
    const cookie = [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { ...options, redirect: 'manual', headers: cookie ? { cookie } : {} })
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=')
      this.#jar.set(name, value)
    }
    if (answer.status >= 400) throw new Error(`${answer.status}: ${await answer.text()}`)
    const location = answer.headers.get('location')
    if (!location) return answer.text()
    const next = new URL(location, url)
    return next.href.startsWith(this.redirectUri) ? next : this.#follow(next)
  }
}
