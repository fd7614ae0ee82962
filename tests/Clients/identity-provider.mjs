// Identity providers on loopback, one for each list of keys. Reads one line, [[jwk, ...], ...] with private keys, writes one line, [issuer, ...], and ends with its input.
import { createInterface } from 'node:readline';
import { OAuth2Server } from 'oauth2-mock-server';

const lines = createInterface({ input: process.stdin });
lines.once('line', async line => {
  const issuers = [];
  for (const keys of JSON.parse(line)) {
    const server = new OAuth2Server();
    for (const key of keys) {
      await server.issuer.keys.add(key);
    }
    await server.start(0, '127.0.0.1');
    issuers.push(server.issuer.url);
  }
  console.log(JSON.stringify(issuers));
});
lines.once('close', () => process.exit(0));
