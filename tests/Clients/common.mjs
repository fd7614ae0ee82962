// What every client must see, whichever way it came in. Each script takes the server's base URL and stops at the first thing that is wrong.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const tools = ['find_notes', 'get_topics', 'list_picked', 'pick_note', 'send_picked', 'share_notes'];

/** Runs the named steps in turn: step(name, what) prints one line for each, and a failure names the step that it happened in. */
export async function run(script, body) {
  const base = process.argv[2];
  if (!base) {
    console.error(`usage: ${script} BASE_URL`);
    process.exit(2);
  }
  let doing = 'start';
  const step = async (name, what) => {
    doing = name;
    const value = await what();
    console.log(`ok    ${script}: ${name}`);
    return value;
  };
  try {
    await body(path => new URL(path, base), step);
  } catch (error) {
    console.error(`FAIL  ${script}: ${doing}: ${error.stack ?? error}`);
    process.exit(1);
  }
  process.exit(0); // A client that still holds a socket must not keep the test waiting.
}

/** For what a client keeps on disk: it must not meet the files of the user who runs the tests. */
export function tempFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-client-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function checkTools(list) {
  assert.deepEqual(list.tools.map(tool => tool.name).sort(), tools);
  for (const tool of list.tools) {
    assert.ok(tool.description, `${tool.name} has no description`);
    assert.equal(tool.inputSchema.type, 'object', `${tool.name} has no input schema`);
  }
}

export function checkSearch(result) {
  assert.ok(!result.isError, `find_notes failed: ${JSON.stringify(result.content)}`);
  assert.equal(result.content[0].type, 'text');
  assert.match(result.content[0].text, /milk/i);
  assert.deepEqual(result.structuredContent, JSON.parse(result.content[0].text), 'text and structuredContent differ');
}

/** The checks that need a connected client object; the 1.x and 2.x packages use the same names. `ping` is gone in 2026-07-28. */
export async function checkClient(client, name, step, { ping = true } = {}) {
  await step(`${name}: tools/list`, async () => checkTools(await client.listTools()));
  // After tools/list the client also validates the result against the tool's output schema.
  await step(`${name}: tools/call`, async () =>
    checkSearch(await client.callTool({ name: 'find_notes', arguments: { query: 'milk' } })));
  await step(`${name}: unknown tool`, () =>
    assert.rejects(() => client.callTool({ name: 'no_such_tool', arguments: {} }), { code: -32602 }));
  await step(`${name}: bad arguments`, async () => {
    const result = await client.callTool({ name: 'find_notes', arguments: {} });
    assert.equal(result.isError, true, 'a call without its required argument must be an error');
    assert.match(result.content[0].text, /query/, 'the error must name the missing argument');
  });
  if (ping) {
    await step(`${name}: ping`, () => client.ping());
  }
  await step(`${name}: prompts/list`, async () => assert.ok((await client.listPrompts()).prompts.length > 0, 'no prompts'));
  await step(`${name}: resources/read`, async () => {
    const { contents } = await client.readResource({ uri: 'notes://all' });
    assert.equal(contents[0].uri, 'notes://all');
    assert.match(contents[0].text, /milk/i);
  });
}
