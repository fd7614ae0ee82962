using Microsoft.Extensions.Logging.Console;
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
using MinimalMcp.Tools;
using MinimalMcp.Tools.Cway;
using MinimalMcp.WellKnown;

namespace MinimalMcp;

/// <summary>
/// The server as a library: what Program.cs lists, for an application of somebody else. Its default scheme, fallback
/// policy, content root, logging and own routes stay as they are.
/// </summary>
public static class Library
{
    /// <summary>
    /// Adds the server. The tools are every <c>[McpServerTool]</c> of the application, and the families of this
    /// package that the settings enable.
    /// </summary>
    public static WebApplicationBuilder AddMinimalMcp(this WebApplicationBuilder builder)
    {
        builder.AddHostedConfiguration();
        builder.AddStorage();
        builder.AddTools();
        builder.AddOutgoing();
        builder.AddHub();
        builder.AddMonitoring();

        // Who may call, and what happens to every call on every surface.
        builder.AddAuth();
        builder.AddGovernance();

        // The surfaces. MCP is the SDK's; in front of it, the direct path answers what needs no conversation.
        builder.Services.AddMcpServer().WithHttpTransport().WithDirectPath();
        builder.AddToolOpenApi();
        builder.AddWellKnown();
        builder.AddPages();
        // The builder has read --name VALUE of the command line, and no --stdio, which has no value.
        if (SurfaceMode.Read(builder.Configuration, Environment.GetCommandLineArgs()).Stdio)
        {
            builder.AddMcpStdio();
            // Standard output carries the protocol.
            builder.Services.PostConfigure<ConsoleLoggerOptions>(console =>
                console.LogToStandardErrorThreshold = LogLevel.Trace
            );
        }

        return builder;
    }

    /// <summary>
    /// Maps the surfaces, the documents and the pages. What is returned is all of them, to add conventions to.
    /// </summary>
    public static IEndpointConventionBuilder MapMinimalMcp(this WebApplication app)
    {
        app.UseDiagnostics();
        app.UseHostedConfiguration();
        app.UseCredentials();
        app.UseWhen(HostedRoute.IsHit, ours => ours.UseRequestLimit());

        var mode = SurfaceMode.Read(app.Configuration, []);
        var routes = app.MapGroup("");
        routes.MapCway(mode.Http); // the REST API of that family, where it is on
        if (mode.Mcp)
        {
            routes.MapMcp("/mcp").WithDirectPath(); // ChatGPT, and every MCP client
            routes.MapMcp("/mcp/{profile}").WithDirectPath(); // the same with a part of the tools
            routes.MapMcpSse("/sse"); // clients of the first revision
        }

        if (mode.Http)
        {
            routes.MapTools("/tools"); // plain HTTP, which GPT Actions call
            routes.MapToolOpenApi(); // the document that a GPT Action imports
            routes.MapFunctionCalling("/api/mcp/v1"); // function calling
        }

        // For operators, and for machines that discover the server.
        routes.MapAuth();
        routes.MapHub("/api/v1/servers");
        routes.MapKeys("/api/v1/keys");
        routes.MapOperatorTools("/api/v1/tools");
        routes.MapAudit("/api/v1/audit");
        routes.MapMonitoring("/api/v1");
        routes.MapDashboard("/dashboard");
        routes.MapConnections("/connections");
        routes.MapConsole("/console");
        routes.MapWellKnown();
        routes.MapPages();
        return routes.AddHostedConventions(app.Configuration);
    }

    /// <summary>
    /// Runs the application. The commands that the arguments may name (<c>health</c>, <c>backup FILE</c>,
    /// <c>hash-password</c>, ...) are run instead. Settings that are wrong are printed as sentences, and the exit code
    /// is 1.
    /// </summary>
    public static async Task<int> RunMinimalMcpAsync(this WebApplication app, params string[] args) =>
        args is ["health", ..] ? await HealthCommand.RunAsync(app.Configuration, args)
        : await app.RunCommandAsync(args) is { } exitCode ? exitCode
        : await app.RunOrExplainAsync(Banner.Print);
}
