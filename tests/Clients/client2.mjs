// TypeScript client 2.x in both eras: with initialize as before, and 2026-07-28 found by negotiation.
import assert from 'node:assert/strict';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { checkClient, run } from './common.mjs';

await run('client2', async (url, step) => {
  for (const [era, options, version] of [
    ['legacy', {}, '2025-11-25'],
    ['modern', { versionNegotiation: { mode: 'auto' } }, '2026-07-28'],
  ]) {
    const client = new Client({ name: 'client2', version: '1.0.0' }, options);
    await step(`${era}: connect`, async () => {
      await client.connect(new StreamableHTTPClientTransport(url('/mcp')));
      assert.equal(client.getNegotiatedProtocolVersion(), version);
    });
    await checkClient(client, era, step, { ping: era === 'legacy' });
    await client.close();
  }
});
