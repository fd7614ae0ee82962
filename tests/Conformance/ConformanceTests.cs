using System.ComponentModel;
using System.Text.Json;
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

    // Scenarios of 2026-07-28 that do not pass behind the hub. A server does not say for which of the running calls it
    // asks, so that nobody is asked while a call of another scenario waits for its answer.
    private static readonly string[] OnlyAlone =
    [
        "input-required-result-basic-sampling",
        "input-required-result-request-state",
        "input-required-result-multi-round",
        "input-required-result-result-type",
        "input-required-result-tampered-state",
        "input-required-result-capability-check",
    ];

    private static readonly string[] BehindTheHub =
    [
        .. OnlyAlone,
        // The hub tells the server that it can be asked, because some of its callers can: the server learns by the
        // question alone that this one cannot.
        "server-stateless",
        // The question of a server is one of ours to the caller, and has our key in place of the server's.
        "input-required-result-basic-elicitation",
        // Roots are deprecated, and are not passed on.
        "input-required-result-basic-list-roots",
        // Questions are asked one after the other.
        "input-required-result-multiple-input-requests",
        // Only calls of tools can be asked for.
        "input-required-result-non-tool-request",
    ];

    public static TheoryData<string> Alone => [.. OnlyAlone];

    [Theory]
    [InlineData("2026-07-28", 37)]
    [InlineData("2025-11-25", 30)]
    public async Task PassesEveryRequiredScenario(string requirements, int count)
    {
        await using var server = StartWithFixtures();
        await PassesAsync(server.BaseUrl + "/mcp", requirements, requirements, count);
    }

    /// <summary>The same server behind the hub, under its own names.</summary>
    [Theory]
    [InlineData("2026-07-28", 37)]
    [InlineData("2025-11-25", 30)]
    public async Task PassesThemBehindTheHub(string requirements, int count)
    {
        await using var fixture = StartWithFixtures();
        await using var hub = await StartHubAsync(fixture);
        var exceptions = requirements == "2026-07-28" ? BehindTheHub : [];
        await PassesAsync(hub.BaseUrl + "/mcp/fixture", requirements, "hub-" + requirements, count, exceptions);
    }

    /// <summary>Where no other call waits for an answer.</summary>
    [Theory, MemberData(nameof(Alone))]
    public async Task PassesAloneBehindTheHub(string scenario)
    {
        await using var fixture = StartWithFixtures();
        await using var hub = await StartHubAsync(fixture);
        var (exitCode, output) = await ClientProcess.RunAsync(
            ClientProcess.Node,
            [Suite, "server", "--url", hub.BaseUrl + "/mcp/fixture", "--scenario", scenario]
        );
        Assert.True(exitCode == 0, output);
    }

    private static async Task<TestServer> StartHubAsync(TestServer fixture)
    {
        var hub = TestServer.Start();
        using var made = await hub.PostAsync(
            "/api/v1/servers",
            JsonSerializer.Serialize(
                new
                {
                    name = "fixture",
                    url = fixture.BaseUrl + "/mcp",
                    transport_type = "streamable_http",
                    risk = "LOW",
                }
            )
        );
        Assert.True(made.IsSuccessStatusCode);
        await Wait.Until(async () =>
            (await hub.GetJsonAsync("/api/v1/servers/1")).GetProperty("status").ValueEquals("active")
        );
        return hub;
    }

    private static async Task PassesAsync(
        string url,
        string requirements,
        string folder,
        int count,
        params string[] exceptions
    )
    {
        var (_, list) = await ClientProcess.RunAsync(
            ClientProcess.Node,
            [Suite, "list", "--requirements", requirements]
        );
        var servers = list.Split("Client scenarios")[0];
        var required = Listed().Matches(servers).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(count, required.Count);

        var artifacts = Path.Combine(ClientProcess.Root, "artifacts", "conformance", folder);
        if (Directory.Exists(artifacts))
        {
            // the suite names its folders by time, so old runs would pile up
            Directory.Delete(artifacts, recursive: true);
        }
        var (exitCode, output) = await ClientProcess.RunAsync(
            ClientProcess.Node,
            [Suite, "server", "--url", url, "--requirements", requirements, "-o", artifacts]
        );

        // A scenario that did not run, or checked nothing, has not passed either.
        var passed = Passed().Matches(output).Select(m => m.Groups[1].Value);
        var failed = required.Except(passed).ToList();
        Assert.True(
            failed.Order().SequenceEqual(exceptions.Order()),
            $"Not passed: {string.Join(", ", failed)}. Details are in {artifacts}\n{output}"
        );
        Assert.True(exitCode == 0 || failed.Count > 0, output);
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
