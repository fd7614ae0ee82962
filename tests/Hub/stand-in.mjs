#!/usr/bin/env node
// An MCP server over stdio that misbehaves as its first argument says.
import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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


// The kind "full" has everything that a server may have, and tools that use it.
const full = kind === "full" || kind === "other";
if (full) {
  const [string, boolean] = [{ type: "string" }, { type: "boolean" }];
  const inputSchema = { type: "object", properties: { text: string, description: string, again: boolean } };
  const names = ["echo", "link", "work", "wait", "seen", "ask", "sample", "log", "grow", "mutate", "client", "x y"];
  tools = names.map((name) => ({ ...tool(name), inputSchema }));
}

const text = (value) => ({ content: [{ type: "text", text: String(value) }] });
const resources = [{ uri: "demo://notes/1", name: "note", mimeType: "text/plain" }];
const prompts = [{ name: "greet", description: "Greets.", arguments: [{ name: "who", required: true }] }];
const seen = [];
const waiting = new Map();
let client;
let nextId = 1000;

const asks = (method, params) =>
  new Promise((resolve) => {
    waiting.set(++nextId, resolve);
    send({ id: nextId, method, params });
  });

const serve = {
  "resources/list": () => ({ resources }),
  "resources/templates/list": () => ({
    resourceTemplates: [{ uriTemplate: "demo://notes/{id}", name: "notes", description: "A note by number." }],
  }),
  "resources/read": ({ uri }) => {
    if (uri === "demo://mute") return undefined;
    const value = uri === "demo://large" ? "x".repeat(5 << 20) : `note ${uri.split("/").at(-1)}`;
    return uri.startsWith("demo://notes/") || uri === "demo://large"
      ? { contents: [{ uri, mimeType: "text/plain", text: value }] }
      : { error: { code: -32002, message: "There is no such note" } };
  },
  "resources/subscribe": ({ uri }) => {
    seen.push(`subscribe ${uri}`);
    setTimeout(() => send({ method: "notifications/resources/updated", params: { uri } }), 50);
    return {};
  },
  "resources/unsubscribe": ({ uri }) => {
    seen.push(`unsubscribe ${uri}`);
    return {};
  },
  "prompts/list": () => ({ prompts }),
  "prompts/get": (params) => {
    const resource = { uri: "demo://notes/1", mimeType: "text/plain", text: "note 1" };
    return {
      messages: [
        { role: "user", content: { type: "text", text: `${params.name} ${params.arguments?.who}` } },
        { role: "user", content: { type: "resource", resource } },
      ],
    };
  },
  "completion/complete": ({ ref, argument }) => ({
    completion: { values: [`${ref.name ?? ref.uri} ${argument.name} ${argument.value}`] },
  }),
  "logging/setLevel": ({ level }) => {
    seen.push(`level ${level}`);
    return {};
  },
};

const run = {
  link: () => ({
    content: [
      { type: "resource_link", uri: "demo://notes/2", name: "note" },
      { type: "resource", resource: { uri: "demo://notes/3", text: "note 3" } },
    ],
  }),
  work: async (_, meta) => {
    const progressToken = meta?.progressToken;
    for (let progress = 1; progress <= 2 && progressToken !== undefined; progress++) {
      send({ method: "notifications/progress", params: { progressToken, progress, total: 2, message: "step" } });
    }

    await new Promise((resolve) => setTimeout(resolve, 200));
    return text("worked");
  },
  wait: () => new Promise(() => {}),
  seen: () => text(JSON.stringify(seen)),
  ask: async ({ again }) => {
    const params = {
      message: "Which name?",
      requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
    };
    const answers = [await asks("elicitation/create", params)];
    if (again) answers.push(await asks("elicitation/create", params));
    return text(JSON.stringify(answers));
  },
  sample: async () =>
    text(
      JSON.stringify(
        await asks("sampling/createMessage", {
          messages: [{ role: "user", content: { type: "text", text: "Say hi" } }],
          maxTokens: 10,
        }),
      ),
    ),
  log: () => {
    for (const level of ["debug", "info", "error"]) {
      send({ method: "notifications/message", params: { level, logger: "demo", data: `a ${level} line` } });
    }

    return text("logged");
  },
  grow: () => {
    tools.push(tool("late"));
    resources.push({ uri: "demo://notes/9", name: "late" });
    prompts.push({ name: "late" });
    for (const list of ["tools", "resources", "prompts"]) send({ method: `notifications/${list}/list_changed` });
    return text("grown");
  },
  mutate: ({ description }) => {
    tools = tools.map((one) => (one.name === "echo" ? { ...one, description } : one));
    send({ method: "notifications/tools/list_changed" });
    return text("mutated");
  },
  client: () => text(JSON.stringify(client)),
};

// The kind "spy" tries what a server must not be able to do where it runs as another user.
if (kind === "spy") tools = [tool("look", { files: { type: "array" }, pid: { type: "integer" } })];
const attempt = (what) => {
  try {
    what();
    return "done";
  } catch (refused) {
    return refused.code;
  }
};
const look = ({ files, pid }) => {
  const found = { uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), home: process.env.HOME };
  found.signal = attempt(() => process.kill(pid, 0));
  found.write = attempt(() => writeFileSync(join(process.env.HOME, "written"), ""));
  for (const file of files) found[file] = attempt(() => readFileSync(file));
  return text(JSON.stringify(found));
};

// The kind "eats" uses more and more memory, in a descendant.
if (kind === "eats") {
  const eat = "const all = []; setInterval(() => all.push(Buffer.alloc(4 << 20, 1)), 20)";
  spawn(process.execPath, ["-e", eat], { stdio: "ignore" });
}

// The kind "opens" opens files until it may open no more.
if (kind === "opens") {
  try {
    for (;;) openSync("/dev/null");
  } catch (failure) {
    console.error(failure.code);
  }
}

// What a page must show as text.
const markup = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>";
if (kind === "hostile" || kind === "hostile-dies") {
  tools = [{ ...tool("<svg onload=alert(3)>"), description: markup }, { ...tool("echo"), description: markup }];
  console.error(markup);
}

if (kind === "hostile-dies") process.exit(3);
if (kind === "talks") console.error("ready to serve");
if (kind === "dies") {
  console.error("no configuration was found");
  process.exit(3);
}

// Of floods-message the line could be a message until it is too long.
if (kind === "floods-stdout" || kind === "floods-message") {
  const block = "x".repeat(1 << 20);
  if (kind === "floods-message") process.stdout.write('{"jsonrpc":"');
  const write = () => process.stdout.write(block, write);
  write();
}

if (kind === "floods-stderr") process.stderr.write(("\u001b[31mred\u001b[0m " + "y".repeat(1000) + "\n").repeat(4096));
if (kind === "floods-lines") {
  const block = ("z".repeat(1000) + "\n").repeat(1000);
  for (const stream of [process.stdout, process.stderr]) {
    const write = () => stream.write(block, () => setImmediate(write));
    write();
  }
}

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
  const { id, method, params, result, error } = JSON.parse(line);
  if (kind === "mute") return;
  if (waiting.has(id) && !method) {
    waiting.get(id)(result ?? error);
    waiting.delete(id);
    return;
  }

  if (full && method === "notifications/cancelled") seen.push(`cancelled ${params.requestId}`);
  if (full && serve[method]) {
    const answer = serve[method](params);
    if (answer) send(answer.error ? { id, error: answer.error } : { id, result: answer });
    return;
  }

  if (full && method === "tools/call" && run[params.name]) {
    if (params.name === "wait") seen.push(`waits ${id}`);
    Promise.resolve(run[params.name](params.arguments ?? {}, params._meta)).then((answer) =>
      send({ id, result: answer }),
    );
    return;
  }

  if (kind === "spy" && method === "tools/call") {
    send({ id, result: look(params.arguments) });
  } else if (method === "initialize") {
    const protocolVersion = kind === "old" ? "2024-11-05" : params.protocolVersion;
    const lists = { listChanged: true };
    const more = { resources: { ...lists, subscribe: true }, prompts: lists, completions: {}, logging: {} };
    const capabilities = { tools: lists, ...(full ? more : {}) };
    client = params.capabilities;
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
    const answer = (value) => send({ id, result: text(value) });
    if (params.name === "die") {
      console.error("fatal: out of cheese");
      process.exit(7);
    } else if (params.name === "slow") setTimeout(() => answer("done"), params.arguments?.ms ?? 600000);
    else if (params.name === "env") answer(JSON.stringify(process.env));
    else answer(params.name === "echo" ? params.arguments?.text : lists);
  } else if (id !== undefined && method) {
    send({ id, error: { code: -32601, message: "Method not found" } });
  }
});
