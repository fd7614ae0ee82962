// A strict OAuth library, unmodified: what it accepts is what the standards say (RFC 7591, 7636, 9207, 9068, 7009, 7662).
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { run } from './common.mjs';
import { allow } from './person.mjs';

const key = process.argv[3];
const plain = { [oauth.allowInsecureRequests]: true }; // http, on loopback

await run('oauth4webapi', async (url, step) => {
  const issuer = new URL(url('/').origin);
  const redirect = 'http://127.0.0.1:4321/callback';
  const server = await step('discovery', async () =>
    oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain })));
  await step('protected resource', async () => {
    const resource = url('/mcp');
    const metadata = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, plain));
    assert.deepEqual(metadata.authorization_servers, [server.issuer]);
  });

  for (const method of ['none', 'client_secret_basic', 'client_secret_post']) {
    const client = await step(`${method}: registration`, async () => oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(server, { client_name: method, redirect_uris: [redirect], token_endpoint_auth_method: method, grant_types: ['authorization_code', 'refresh_token'] }, plain)));
    const authentication = method === 'none' ? oauth.None() : method === 'client_secret_basic' ? oauth.ClientSecretBasic(client.client_secret) : oauth.ClientSecretPost(client.client_secret);
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const parameters = await step(`${method}: the answer to the authorization request`, async () => {
      const address = new URL(server.authorization_endpoint);
      address.search = new URLSearchParams({
        response_type: 'code', client_id: client.client_id, redirect_uri: redirect, state, scope: 'mcp:read offline_access', resource: url('/mcp').href,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
      });
      return oauth.validateAuthResponse(server, client, await allow(address, key), state); // also checks iss
    });
    const tokens = await step(`${method}: tokens`, async () => oauth.processAuthorizationCodeResponse(server, client,
      await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirect, verifier, { additionalParameters: { resource: url('/mcp').href }, ...plain })));
    assert.equal(tokens.scope, 'mcp:read offline_access');
    await step(`${method}: the access token is one (RFC 9068)`, async () => {
      const request = new Request(url('/mcp'), { headers: { Authorization: `Bearer ${tokens.access_token}` } });
      const claims = await oauth.validateJwtAccessToken(server, request, url('/mcp').href, plain);
      assert.equal(claims.client_id, client.client_id);
    });
    const fresh = await step(`${method}: refresh`, async () => oauth.processRefreshTokenResponse(server, client,
      await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, plain)));
    if (method !== 'none') {
      await step(`${method}: introspection`, async () => {
        const answer = await oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, authentication, fresh.access_token, plain));
        assert.equal(answer.active, true);
      });
    }
    await step(`${method}: revocation`, async () =>
      oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, fresh.refresh_token, plain)));
    await step(`${method}: and then nothing of it is good`, async () => {
      const call = await fetch(url('/tools/list_picked'), { method: 'POST', headers: { Authorization: `Bearer ${fresh.access_token}` } });
      assert.equal(call.status, 401);
      await assert.rejects(async () => oauth.processRefreshTokenResponse(server, client,
        await oauth.refreshTokenGrantRequest(server, client, authentication, fresh.refresh_token, plain)), { error: 'invalid_grant' });
    });
  }
});
