// A stateless Streamable HTTP server with the TypeScript SDK (npm @modelcontextprotocol/sdk), as its documentation shows it: a server and
// a transport for each request. The tool answers with the content that the measured server answered with.
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js');
const { StreamableHTTPServerTransport } = require('@modelcontextprotocol/sdk/server/streamableHttp.js');
const { z } = require('zod');

const port = Number(process.argv[2]);
const { structuredContent } = JSON.parse(readFileSync(process.env.ANSWER, 'utf8'));

function server() {
  const mcp = new McpServer({ name: 'peer', version: '1.0.0' });
  mcp.registerTool(
    'search_products',
    {
      description: 'Finds products by name, category or code, with price, stock and current deal.',
      inputSchema: { query: z.string().min(1).max(200), category: z.string().optional(), limit: z.number().int().min(1).max(50).default(10) },
      annotations: { readOnlyHint: true },
    },
    async () => ({ content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent }),
  );
  return mcp;
}

createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const mcp = server();
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on('close', () => {
    transport.close();
    mcp.close();
  });
  await mcp.connect(transport);
  await transport.handleRequest(request, response, JSON.parse(body));
}).listen(port, '127.0.0.1');
