using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Conformance;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Protocol;

/// <summary>
/// A server with the tools, prompts and resources that the conformance suite expects: they use every feature.
/// </summary>
internal static class FixtureServer
{
    public static TestServer Start(params (string Key, string Value)[] settings) =>
        TestServer.Start(
            services =>
            {
                NotesTools.Alone(services);
                services.AddMcpServer().AddConformanceFixtures();
                foreach (var type in ConformanceFixtures.ToolTypes)
                {
                    services.AddSingleton(new ToolType(type));
                }

                services.AddSingleton(new Gate());
                services.AddSingleton(new ListChanges(() => { }, () => { }));
            },
            settings
        );

    /// <summary>Adds a tool, or removes it again.</summary>
    public static void ToggleTool(TestServer server)
    {
        var registry = server.Services.GetRequiredService<ToolRegistry>();
        if (!registry.Remove("who"))
        {
            registry.Add(
                server
                    .Services.GetRequiredService<ToolMethods>()
                    .Of(typeof(GateTools))
                    .Single(tool => tool.Name == "who")
            );
        }
    }
}
