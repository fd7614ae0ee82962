// An MCP server over stdio that misbehaves as its first argument says.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const kind = process.argv[2] ?? "good";
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
const tool = (name, properties) => ({ name, description: name, inputSchema: { type: "object", properties } });
const slow = tool("slow", { ms: { type: "integer" } });
let tools = [tool("echo", { text: { type: "string" } }), tool("env"), slow, tool("die")];
let lists = 0;

// It starts when that file exists.
if (kind === "gated") {
  while (!existsSync(process.argv[3])) await new Promise((done) => setTimeout(done, 20));
}

if (kind === "dies") {
  console.error("no configuration was found");
  process.exit(3);
}

if (kind === "floods-stdout") {
  const block = "x".repeat(1 << 20);
  const write = () => process.stdout.write(block, write);
  write();
}

if (kind === "floods-stderr") process.stderr.write(("\u001b[31mred\u001b[0m " + "y".repeat(1000) + "\n").repeat(4096));
if (kind === "noise") process.stdout.write("Starting...\n\n[1,2]\nnull\n");
if (kind === "forks" || kind === "ignores") {
  const args = ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"];
  spawn(process.execPath, args, { detached: true, stdio: "ignore" }).unref();
}

if (kind === "ignores") {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1000);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (kind === "mute") return;
  if (method === "initialize") {
    const protocolVersion = kind === "old" ? "2024-11-05" : params.protocolVersion;
    const capabilities = { tools: { listChanged: true } };
    send({ id, result: { protocolVersion, capabilities, serverInfo: { name: "stand-in", version: "1" } } });
  } else if (method === "notifications/initialized" && kind === "changes") {
    tools.push(tool("late"));
    for (let i = 0; i < 4; i++) send({ method: "notifications/tools/list_changed" });
  } else if (method === "notifications/initialized" && kind === "reuses-ids") {
    for (let i = 0; i < 5; i++) send({ id: i, method: "roots/list" });
  } else if (method === "tools/list") {
    lists++;
    send({ id, result: { tools } });
  } else if (method === "tools/call") {
    const text = (value) => send({ id, result: { content: [{ type: "text", text: String(value) }] } });
    if (params.name === "die") {
      console.error("fatal: out of cheese");
      process.exit(7);
    } else if (params.name === "slow") setTimeout(() => text("done"), params.arguments?.ms ?? 600000);
    else if (params.name === "env") text(JSON.stringify(process.env));
    else text(params.name === "echo" ? params.arguments?.text : lists);
  } else if (id !== undefined && method) {
    send({ id, error: { code: -32601, message: "Method not found" } });
  }
});
