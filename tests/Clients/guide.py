#!/usr/bin/env python3
"""The function-calling code that people copy from the ChatGPT guide, run as it stands.

usage: guide.py BASE_URL [TOKEN]                 (or the token in MCP_TOKEN)
       guide.py BASE_URL TOKEN portainer       the guide's formatting block, over Portainer's containers
"""
import json
import os
import sys
import types

import requests

if len(sys.argv) < 2:
    sys.exit(__doc__)

MCP_API_URL = sys.argv[1].rstrip("/")
MCP_TOKEN = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("MCP_TOKEN", "your-mcp-token-here")


# The guide's three functions. Only the two settings above are ours.

def get_mcp_tools():
    """Fetch all available MCP tools."""
    response = requests.get(
        f"{MCP_API_URL}/api/mcp/v1/tools",
        headers={"Authorization": f"Bearer {MCP_TOKEN}"}
    )
    response.raise_for_status()
    return response.json()["tools"]

def convert_to_openai_function(tool):
    """Convert MCP tool schema to OpenAI function format."""
    return {
        "type": "function",
        "function": {
            "name": tool["name"],
            "description": tool["description"],
            "parameters": tool["inputSchema"]
        }
    }

def execute_mcp_tool(tool_name, arguments):
    """Execute an MCP tool and return the result."""
    response = requests.post(
        f"{MCP_API_URL}/api/mcp/v1/call",
        headers={
            "Authorization": f"Bearer {MCP_TOKEN}",
            "Content-Type": "application/json"
        },
        json={
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {
                "name": tool_name,
                "arguments": arguments
            }
        },
        timeout=30
    )

    response.raise_for_status()
    data = response.json()

    if "error" in data:
        raise Exception(f"MCP Error: {data['error']['message']}")

    return data["result"]["content"][0]["text"]


# What the guide promises about them.

def step(name, ok, detail=""):
    if not ok:
        sys.exit(f"FAIL  guide: {name}: {detail}")
    print(f"ok    guide: {name}")


if sys.argv[3:] == ["portainer"]:
    conversation_history = []
    tool_call = types.SimpleNamespace(id="call_1")

    # The guide's block, as it stands.
    # Parse JSON results for better display
    result = execute_mcp_tool("portainer_list_containers", {"endpoint_id": 1})
    containers = json.loads(result)

    # Format as table
    formatted = "| Name | Status | Image |\n"
    formatted += "|------|--------|-------|\n"
    for c in containers:
        formatted += f"| {c['Names']} | {c['State']} | {c['Image']} |\n"

    # Add formatted result to conversation
    conversation_history.append({
        "role": "tool",
        "tool_call_id": tool_call.id,
        "name": "portainer_list_containers",
        "content": formatted
    })

    rows = conversation_history[0]["content"].splitlines()[2:]
    step("formatting", rows and all(row.count("|") == 4 and "None" not in row for row in rows), formatted)
    print(formatted)
    sys.exit()


def error_of(tool_name, arguments):
    try:
        return "no error, but " + execute_mcp_tool(tool_name, arguments)
    except Exception as error:  # the guide raises nothing narrower
        return str(error)


mcp_tools = get_mcp_tools()
names = sorted(tool["name"] for tool in mcp_tools)
step("get_mcp_tools", names == ["find_notes", "get_topics", "list_picked", "pick_note", "send_picked", "share_notes"], names)

for function in [convert_to_openai_function(tool)["function"] for tool in mcp_tools]:
    parameters = function["parameters"]
    step(f"convert_to_openai_function {function['name']}",
         function["description"] and parameters["type"] == "object" and "properties" in parameters and "required" in parameters,
         function)

text = execute_mcp_tool("find_notes", {"query": "milk"})
step("execute_mcp_tool", "milk" in json.dumps(json.loads(text)).lower(), text)

error = error_of("no_such_tool", {})
step("unknown tool", error.startswith("MCP Error: ") and "no_such_tool" in error, error)

error = error_of("find_notes", {})
step("bad arguments", error.startswith("MCP Error: ") and "query" in error, error)
