// The provider of the tests: `node provider.mjs ISSUER`, with its clients, people and settings as JSON on stdin.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import Provider from 'oidc-provider'

const issuer = process.argv[2]
const { clients, people, settings } = JSON.parse(await text(process.stdin))

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'], groups: ['groups'] },
  features: { devInteractions: { enabled: true } }, // a sign-in page that takes any name and any password
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
  pkce: { required: () => true },
  cookies: { keys: ['a key of the tests'] },
  ...settings,
})

createServer(provider.callback()).listen(new URL(issuer).port, '127.0.0.1', () => console.log('listening'))
