// mcp-remote turns the server into a stdio one for hosts that know nothing else; a 1.x client plays the host.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { checkClient, run, tempFolder } from './common.mjs';

const proxy = join(dirname(createRequire(import.meta.url).resolve('mcp-remote/package.json')), 'dist/proxy.js');

await run('mcp-remote', async (url, step) => {
  for (const [transport, path] of [['http-only', '/mcp'], ['sse-only', '/sse'], ['sse-first', '/mcp']]) {
    const client = new Client({ name: 'host', version: '1.0.0' });
    await step(`${transport}: connect`, () => client.connect(new StdioClientTransport({
      command: process.execPath,
      args: [proxy, url(path).href, '--allow-http', '--transport', transport],
      env: { ...process.env, MCP_REMOTE_CONFIG_DIR: tempFolder() },
    })));
    await checkClient(client, transport, step);
    await client.close();
  }
});
