// A provider for the tests: `node provider.mjs PORT` with its configuration as JSON on standard input.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import Provider from 'oidc-provider'

const port = Number(process.argv[2])
const { clients, accounts, settings } = JSON.parse(await text(process.stdin))
const issuer = `http://127.0.0.1:${port}`

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'], groups: ['groups'] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...accounts[sub] }) }),
  pkce: { required: () => true },
  cookies: { keys: ['a key of the tests'] },
  ...settings,
})

createServer(provider.callback()).listen(port, '127.0.0.1', () => console.log('listening'))
