using MinimalMcp;

var builder = WebApplication.CreateBuilder(args);

// The tools of this project, and the families of the package that the settings enable.
builder.AddMinimalMcp();

var app = builder.Build();

// MCP at /mcp, plain HTTP at /tools, function calling at /api/mcp/v1, and the start page at /.
app.MapMinimalMcp();

return await app.RunMinimalMcpAsync(args);
