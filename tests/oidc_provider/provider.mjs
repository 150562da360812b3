// The provider of the tests: `node provider.mjs ISSUER`, with its clients, people and settings as JSON on stdin.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import Provider, { errors } from 'oidc-provider'

const issuer = process.argv[2]
const { clients, people, settings, resource, opaque, widens } = JSON.parse(await text(process.stdin))

// Where a resource is named, it is an authorization server, too: clients register themselves and get tokens for it.
const forResource = {
  devInteractions: { enabled: true },
  registration: { enabled: true },
  introspection: { enabled: Boolean(opaque) },
  revocation: { enabled: Boolean(opaque) },
  resourceIndicators: {
    enabled: true,
    useGrantedResource: () => true,
    getResourceServerInfo: (_, indicator) => {
      if (indicator !== resource) throw new errors.InvalidTarget()
      const form = opaque ? { accessTokenFormat: 'opaque' } : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }
      return { scope: 'read write', audience: resource, ...form }
    },
  },
}

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'], groups: ['groups'] },
  features: resource ? forResource : { devInteractions: { enabled: true } }, // a sign-in page that takes any name and any password
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
  pkce: { required: () => true },
  cookies: { keys: ['a key of the tests'] },
  ...settings,
})

// Clients register with the scopes that they begin with. This provider holds them to those for ever, unless none is named.
if (widens) {
  provider.use(async (ctx, next) => {
    if (ctx.method === 'POST' && ctx.path === '/reg') {
      const { scope, ...registered } = JSON.parse(await text(ctx.req))
      ctx.req.body = registered
    }
    await next()
  })
}

createServer(provider.callback()).listen(new URL(issuer).port, '127.0.0.1', () => console.log('listening'))
