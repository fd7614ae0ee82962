// The server part of the chat page: it serves the page, and adds the two keys that a browser must not have.
// node server.mjs, with OPENAI_API_KEY and OPENAI_MODEL in the environment. Node.js 20 or newer, no packages.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const MCP = process.env.MCP_URL ?? "http://localhost:3001";
const MODEL_API = process.env.OPENAI_BASE_URL ?? "https://api.openai.com/v1";
const MODEL = process.env.OPENAI_MODEL ?? "gpt-5-mini";
const PORT = Number(process.env.PORT ?? 8080);
const MAX_BYTES = 1_000_000;

const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/chat.js": ["chat.js", "text/javascript; charset=utf-8"],
  "/chat.css": ["chat.css", "text/css; charset=utf-8"],
};

const ACTIONS = {
  "GET /api/tools": async () => {
    const { tools } = await ask(`${MCP}/tools`, mcpKey());
    return tools.map(({ name, readOnly }) => ({ name, readOnly }));
  },

  // One turn of the model. The page executes the calls that the model asks for, and sends their results next time.
  "POST /api/turn": async ({ messages }) => {
    const { tools } = await ask(`${MCP}/api/mcp/v1/tools?format=openai`, mcpKey());
    const key = { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` };
    const completion = await ask(`${MODEL_API}/chat/completions`, key, { model: MODEL, messages, tools });
    return completion.choices[0].message;
  },

  "POST /api/call": async ({ name, arguments: args }) => {
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
    const answer = await ask(`${MCP}/api/mcp/v1/call`, mcpKey(), call);
    return answer.error ? answer.error.message : answer.result.content[0].text;
  },
};

function mcpKey() {
  return process.env.MCP_API_KEY ? { Authorization: `Bearer ${process.env.MCP_API_KEY}` } : {};
}

async function ask(url, headers, json) {
  const response = await fetch(url, {
    method: json ? "POST" : "GET",
    headers: { "Content-Type": "application/json", ...headers },
    body: json && JSON.stringify(json),
    signal: AbortSignal.timeout(120_000),
  });
  if (!response.ok) {
    throw new Error(`${new URL(url).host} answered ${response.status}: ${(await response.text()).slice(0, 1000)}`);
  }

  return response.json();
}

async function bodyOf(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BYTES) {
      throw new Error(`The conversation is longer than ${MAX_BYTES} bytes: start a new one.`);
    }

    parts.push(part);
  }

  return parts.length > 0 ? JSON.parse(Buffer.concat(parts)) : {};
}

// Pages of other origins cannot use the keys: their requests have another Host, or a type that needs no preflight.
function isOurs(request) {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const json = request.method === "GET" || request.headers["content-type"] === "application/json";
  return json && ["localhost", "127.0.0.1"].includes(host);
}

const server = createServer(async (request, response) => {
  const send = (status, type, text) => {
    const policy = "default-src 'self'; img-src 'self' data:";
    response.writeHead(status, { "Content-Type": type, "Content-Security-Policy": policy });
    response.end(text);
  };
  const sendJson = (status, value) => send(status, "application/json", JSON.stringify(value));
  const { pathname } = new URL(request.url, "http://localhost");
  const action = ACTIONS[`${request.method} ${pathname}`];
  try {
    if (!isOurs(request)) {
      sendJson(403, { error: "Open the page at http://localhost." });
    } else if (action) {
      sendJson(200, await action(await bodyOf(request)));
    } else if (request.method === "GET" && FILES[pathname]) {
      const [file, type] = FILES[pathname];
      send(200, type, await readFile(new URL(file, import.meta.url)));
    } else {
      sendJson(404, { error: `There is no ${request.method} ${pathname}.` });
    }
  } catch (error) {
    sendJson(502, { error: error.message });
  }
});

server.listen(PORT, "127.0.0.1", () => console.log(`http://localhost:${server.address().port}`));
