using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Dashboard;
using MinimalMcp.Governance;
using MinimalMcp.Outgoing;
using MinimalMcp.Pages;
using MinimalMcp.Storage;
using MinimalMcp.Surfaces;
using MinimalMcp.Surfaces.Mcp;
using MinimalMcp.Tools;
using MinimalMcp.WellKnown;

// Settings are read once; watching their files would take a good part of the time that a start takes.
var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false", .. args]);
builder.AddConfiguration();
var mode = SurfaceMode.Read(builder.Configuration, args);
if (args is ["health", ..])
{
    return await HealthCommand.RunAsync(builder.Configuration); // a container's health check
}

// What is kept: the audit, budgets, confirmations.
builder.AddStorage();

// What this server can do: every [McpServerTool] below Tools/.
builder.AddTools();

// How requests leave: every HttpClient gets a deadline, a breaker and a size limit.
builder.AddOutgoing();

// Who may call, and what happens to every call, whichever way it comes.
builder.AddAuth().CloseOtherRoutes();
builder.AddGovernance();

// The ways in.
builder.AddMcp();
builder.AddToolOpenApi();
builder.AddWellKnown();
builder.AddPages();

if (mode.Stdio)
{
    builder.AddMcpStdio();
}

var app = builder.Build();
switch (args.FirstOrDefault())
{
    case "export-openapi": return await app.ExportOpenApiAsync(args);
    case "backup": return await app.BackupAsync(args);
    case "restore": return await app.RestoreAsync(args);
    case "verify-audit": return await app.VerifyAuditAsync();
    case "hash-password": return app.HashPassword();
}

app.UseDiagnostics();
app.UseConfiguration();
app.UseAuth();

// One set of tools, four ways to reach it.
if (mode.Mcp)
{
    app.MapMcp("/mcp");             // ChatGPT, and every MCP client
    app.MapMcpSse("/sse");          // clients of the first revision
}

if (mode.Http)
{
    app.MapTools("/tools");         // plain HTTP, which GPT Actions call
    app.MapToolOpenApi();           // the document that a GPT Action imports
    app.MapFunctions("/api/mcp/v1"); // function calling
}

// What operators, machines and people look for.
app.MapAudit("/api/v1/audit");
app.MapDashboard("/dashboard");  // what waits for a person's approval
app.MapWellKnown();
app.MapPages();

return await app.RunOrExplainAsync(Banner.Print);
