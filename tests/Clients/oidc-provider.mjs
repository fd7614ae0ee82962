// An OpenID-certified provider on loopback. Reads one line, {clientId, secret, redirectUri, audience, opaque}, writes one
// line, {issuer}, and ends with its input. As OpenID Connect Core 5.4 says, name and address are in UserInfo and not in
// the ID token.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

console.info = console.warn = () => {}; // standard output carries the one line
const lines = createInterface({ input: process.stdin });
lines.once('line', line => {
  const { clientId, secret, redirectUri, audience, opaque } = JSON.parse(line);
  let answer;
  const server = createServer((request, response) => answer(request, response));
  server.listen(0, '127.0.0.1', () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
      clients: [{ client_id: clientId, client_secret: secret, redirect_uris: [redirectUri], response_types: ['code'], grant_types: ['authorization_code', 'client_credentials'] }],
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} example`, email: `${id}@example.com`, email_verified: id !== 'mallory' }) }),
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      scopes: ['openid', 'email', 'profile', 'mcp:read'],
      features: {
        devInteractions: { enabled: true },
        clientCredentials: { enabled: true },
        registration: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        revocation: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({
            audience,
            scope: 'mcp:read',
            accessTokenFormat: opaque ? 'opaque' : 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    answer = provider.callback();
    process.stdout.write(JSON.stringify({ issuer }) + '\n');
  });
});
lines.once('close', () => process.exit(0));
