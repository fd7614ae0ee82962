using System.ComponentModel;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tools;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Conformance;

/// <summary>
/// The official suite, for each revision that it has a frozen list of required scenarios for. There is no list of
/// expected failures.
/// </summary>
[Slow]
public sealed partial class ConformanceTests
{
    private static readonly string Suite = Path.Combine(
        ClientProcess.Folder,
        "node_modules",
        "@modelcontextprotocol",
        "conformance",
        "dist",
        "index.js"
    );

    [Theory]
    [InlineData("2026-07-28", 37)]
    [InlineData("2025-11-25", 30)]
    public async Task PassesEveryRequiredScenario(string requirements, int count)
    {
        await using var server = StartWithFixtures();

        var (_, list) = await ClientProcess.RunAsync(
            ClientProcess.Node,
            [Suite, "list", "--requirements", requirements]
        );
        var servers = list.Split("Client scenarios")[0];
        var required = Listed().Matches(servers).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(count, required.Count);

        var artifacts = Path.Combine(ClientProcess.Root, "artifacts", "conformance", requirements);
        if (Directory.Exists(artifacts))
        {
            // the suite names its folders by time, so old runs would pile up
            Directory.Delete(artifacts, recursive: true);
        }
        var (exitCode, output) = await ClientProcess.RunAsync(
            ClientProcess.Node,
            [Suite, "server", "--url", server.BaseUrl + "/mcp", "--requirements", requirements, "-o", artifacts]
        );

        // A scenario that did not run, or checked nothing, has not passed either.
        var passed = Passed().Matches(output).Select(m => m.Groups[1].Value);
        var failed = required.Except(passed).ToList();
        Assert.True(
            failed.Count == 0,
            $"Not passed: {string.Join(", ", failed)}. Details are in {artifacts}\n{output}"
        );
        Assert.True(exitCode == 0, output);
    }

    private static TestServer StartWithFixtures() =>
        TestServer.Start(services =>
        {
            services.AddMcpServer().AddConformanceFixtures();
            foreach (var type in ConformanceFixtures.ToolTypes)
            {
                services.AddSingleton(new ToolType(type));
            }

            services.AddSingleton(provider => new ListChanges(
                Tools: () =>
                    Toggle(provider.GetRequiredService<ToolRegistry>(), provider.GetRequiredService<ToolMethods>()),
                Prompts: () =>
                    provider
                        .GetRequiredService<IOptions<McpServerOptions>>()
                        .Value.PromptCollection!.Add(
                            McpServerPrompt.Create(
                                () => "added",
                                new()
                                {
                                    Name = "added_" + Guid.NewGuid().ToString("N"),
                                    Description = "Was added while the server ran.",
                                }
                            )
                        )
            ));
        });

    private static void Toggle(ToolRegistry registry, ToolMethods methods)
    {
        var added = methods.Of(typeof(AddedTool)).Single();
        if (!registry.Remove(added.Name))
        {
            registry.Add(added);
        }
    }

    private static class AddedTool
    {
        [McpServerTool(Name = "added_tool", ReadOnly = true), Description("Comes and goes.")]
        public static string Added() => "added";
    }

    [GeneratedRegex(@"^  - (\S+)", RegexOptions.Multiline)]
    private static partial Regex Listed();

    [GeneratedRegex(@"^✓ (\S+): [1-9]\d* passed, 0 failed", RegexOptions.Multiline)]
    private static partial Regex Passed();
}
