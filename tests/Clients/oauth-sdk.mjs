// The TypeScript SDK's own OAuth client, unmodified: it finds the documents, registers, signs in, calls tools, and refreshes.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { auth, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { checkTools, run } from './common.mjs';
import { allow } from './person.mjs';

const key = process.argv[3];

await run('oauth-sdk', async (url, step) => {
  const kept = {};
  const provider = {
    redirectUrl: 'http://127.0.0.1:4321/callback',
    clientMetadata: {
      client_name: 'TypeScript SDK',
      redirect_uris: ['http://127.0.0.1:4321/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: client => { kept.client = client; },
    tokens: () => kept.tokens,
    saveTokens: tokens => { kept.tokens = tokens; },
    redirectToAuthorization: address => { kept.address = address; },
    saveCodeVerifier: verifier => { kept.verifier = verifier; },
    codeVerifier: () => kept.verifier,
  };

  const first = new StreamableHTTPClientTransport(url('/mcp'), { authProvider: provider });
  await step('is told to sign in', () =>
    assert.rejects(() => new Client({ name: 'sdk', version: '1.0.0' }).connect(first), UnauthorizedError));
  await step('asked for this resource with PKCE', () => {
    assert.equal(kept.address.searchParams.get('resource'), url('/mcp').href);
    assert.equal(kept.address.searchParams.get('code_challenge_method'), 'S256');
  });
  await step('exchanges the code', async () => {
    const answer = await allow(kept.address, key);
    assert.equal(answer.origin, 'http://127.0.0.1:4321');
    await first.finishAuth(answer.searchParams.get('code'));
    assert.ok(kept.tokens.refresh_token, 'no refresh token');
  });
  await step('calls a tool', async () => {
    const client = new Client({ name: 'sdk', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(url('/mcp'), { authProvider: provider }));
    checkTools(await client.listTools());
    assert.ok(!(await client.callTool({ name: 'list_picked', arguments: {} })).isError);
    await client.close();
  });
  await step('refreshes', async () => {
    const before = kept.tokens;
    assert.equal(await auth(provider, { serverUrl: url('/mcp') }), 'AUTHORIZED');
    assert.notEqual(kept.tokens.refresh_token, before.refresh_token);
  });
});
