using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using MinimalMcp.Hub;
using MinimalMcp.Monitoring;
using MinimalMcp.Outgoing;
using MinimalMcp.Pages;
using MinimalMcp.Pages.Console;
using MinimalMcp.Storage;
using MinimalMcp.Surfaces;
using MinimalMcp.Surfaces.Mcp;
using MinimalMcp.Telemetry;
using MinimalMcp.Tools;
//#if (cway)
using MinimalMcp.Tools.Cway;
//#endif
using MinimalMcp.WellKnown;

if (!ConfigurationSetup.TryCreateBuilder(args, out var builder)) // settings: files, environment variables, command line
{
    return 1;
}

if (await CommandLine.AnswerAsync(args, builder.Configuration) is { } exitCode)
{
    return exitCode; // --help, --version, health, or an unknown command
}

var mode = SurfaceMode.Read(builder.Configuration, args);
builder.AddStorage(); // the store: audit log, budgets, grants
builder.AddTelemetry(); // OTLP export, when an OTEL_* variable is set
builder.AddTools(); // the tools: every [McpServerTool] below Tools/
builder.AddOutgoing(); // every HttpClient gets a timeout, a circuit breaker and a size limit
builder.AddHub(); // other MCP servers, whose tools join ours
builder.AddMonitoring(); // sessions, activity and figures for the console

// Who may call, and what happens to every call, whichever way it comes.
builder.AddAuth().CloseOtherRoutes();
builder.AddGovernance().CleanLogs();

// The ways in. MCP is the SDK's; in front of it, the direct path answers what needs no conversation.
builder.Services.AddMcpServer().WithHttpTransport().WithDirectPath();
builder.AddToolOpenApi();
builder.AddWellKnown();
builder.AddPages();
if (mode.Stdio)
{
    builder.AddMcpStdio();
}

var app = builder.Build();

//#if (cway)
app.MapCway(mode.Http); // the REST API of that family, where it is on

//#endif
if (await app.RunCommandAsync(args) is { } done)
{
    return done; // export-openapi, backup, restore, verify-audit, hash-password
}

app.UseDiagnostics();
app.UseConfiguration();
app.UseErrorPages();
app.UseAuth();

// One set of tools, four ways to reach it.
if (mode.Mcp)
{
    app.MapMcp("/mcp").WithDirectPath(); // ChatGPT, and every MCP client
    app.MapMcp("/mcp/{profile}").WithDirectPath(); // the same with a part of the tools
    app.MapMcpSse("/sse"); // clients of the first revision
}

if (mode.Http)
{
    app.MapTools("/tools"); // plain HTTP, which GPT Actions call
    app.MapToolOpenApi(); // the document that a GPT Action imports
    app.MapFunctionCalling("/api/mcp/v1"); // function calling
}

// What operators, machines and people look for.
app.MapHub("/api/v1/servers"); // registers, starts and stops other MCP servers
app.MapKeys("/api/v1/keys"); // creates and revokes API keys
app.MapOperatorTools("/api/v1/tools"); // calls from the console
app.MapAudit("/api/v1/audit");
app.MapMonitoring("/api/v1"); // sessions, activity with a live stream, figures
app.MapDashboard("/dashboard"); // what waits for a person's approval
app.MapConnections("/connections"); // where callers store their secrets for other MCP servers
app.MapConsole("/console"); // what operators see and do in a browser
app.MapWellKnown();
app.MapPages();

return await app.RunOrExplainAsync(Banner.Print);
