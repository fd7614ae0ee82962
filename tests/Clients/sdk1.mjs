// TypeScript SDK 1.x, which most hosts are built on: Streamable HTTP and the older HTTP+SSE.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { checkClient, run } from './common.mjs';

await run('sdk1', async (url, step) => {
  const http = new Client({ name: 'sdk1', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(url('/mcp'));
  await step('http: connect', () => http.connect(transport));
  await checkClient(http, 'http', step);
  await step('http: terminate the session', async () => {
    const session = transport.sessionId;
    const version = transport.protocolVersion;
    assert.ok(session, 'initialize gave no Mcp-Session-Id');
    await transport.terminateSession();
    const response = await fetch(url('/mcp'), {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'Mcp-Session-Id': session,
        'MCP-Protocol-Version': version,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    });
    assert.equal(response.status, 404, 'a terminated session must be unknown');
  });
  await http.close();

  for (const path of ['/sse', '/mcp']) { // the second by clients that try HTTP+SSE first wherever they are sent
    const sse = new Client({ name: 'sdk1', version: '1.0.0' });
    await step(`sse ${path}: connect`, () => sse.connect(new SSEClientTransport(url(path))));
    await checkClient(sse, `sse ${path}`, step);
    await sse.close();
  }
});
