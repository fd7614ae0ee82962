// The MCP Inspector's command line, over every transport and era that it speaks.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { checkSearch, checkTools, run, tempFolder } from './common.mjs';

const inspector = join(dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js');
const env = { ...process.env, HOME: tempFolder() };

async function inspect(url, ...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [inspector, '--cli', url.href, ...args], { env, timeout: 60_000 });
  return JSON.parse(stdout);
}

await run('inspector', async (url, step) => {
  for (const [name, target, ...transport] of [
    ['http legacy', url('/mcp'), '--transport', 'http', '--protocol-era', 'legacy'],
    ['http auto', url('/mcp'), '--transport', 'http', '--protocol-era', 'auto'],
    ['http modern', url('/mcp'), '--transport', 'http', '--protocol-era', 'modern'],
    ['sse', url('/sse'), '--transport', 'sse'],
  ]) {
    await step(`${name}: tools/list`, async () => checkTools(await inspect(target, ...transport, '--method', 'tools/list')));
    await step(`${name}: tools/call`, async () => checkSearch(await inspect(
      target, ...transport, '--method', 'tools/call', '--tool-name', 'find_notes', '--tool-arg', 'query=milk')));
  }
});
