"""An MCP server over stdio, written by hand with nothing but the standard library."""

import json
import os
import sys

TOOLS = [
    {
        "name": "add",
        "description": "Adds two numbers.",
        "inputSchema": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "fail",
        "description": "Fails.",
        "inputSchema": {"type": "object", "properties": {}},
    },
]


def call(name, arguments):
    if name == "add":
        return {"content": [{"type": "text", "text": str(arguments["a"] + arguments["b"])}]}
    raise ValueError("There is no number.")


def answer(method, params):
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "numbers", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        try:
            return call(params["name"], params.get("arguments", {}))
        except (KeyError, ValueError) as failure:
            return {"content": [{"type": "text", "text": str(failure)}], "isError": True}
    return {} if method == "ping" else None


print(f"numbers: process {os.getpid()}", file=sys.stderr, flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        continue
    result = answer(message["method"], message.get("params", {}))
    sent = {"jsonrpc": "2.0", "id": message["id"]}
    if result is None:
        sent["error"] = {"code": -32601, "message": f"Method not found: {message['method']}"}
    else:
        sent["result"] = result
    print(json.dumps(sent), flush=True)
