using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Governance;

/// <summary>
/// A tool of each level. What they do is counted, so that a test sees whether they were really called.
/// </summary>
internal sealed class GovernedTools
{
    private readonly Lock _changing = new();

    /// <summary>How often each tool did something.</summary>
    public Dictionary<string, int> Done { get; } = [];

    /// <summary>What was said to those that did something.</summary>
    public List<string> Said { get; } = [];

    /// <summary>What the next call waits for, when a test wants to see it under way.</summary>
    public Func<Task> Waits { get; set; } = () => Task.CompletedTask;

    public static TestServer Start(GovernedTools tools, params (string Key, string Value)[] settings) =>
        Start(tools, _ => { }, settings);

    /// <summary>Callers are told apart by a header.</summary>
    public static TestServer Start(
        GovernedTools tools,
        Action<IServiceCollection> more,
        params (string Key, string Value)[] settings
    ) =>
        TestServer.Start(
            services =>
            {
                services.AddSingleton(tools).AddSingleton(new ToolType(typeof(GovernedTools)));
                TestCaller.AddTo(services);
                more(services);
            },
            settings
        );

    [McpServerTool(Name = "look", ReadOnly = true), Description("Looks.")]
    public string Look(string what = "") => Count("look", what);

    [McpServerTool(Name = "note", Destructive = false), Description("Writes something down.")]
    public async Task<string> Note(string text)
    {
        await Waits();
        return Count("note", text);
    }

    [McpServerTool(Name = "wipe"), Description("Wipes something.")]
    public string Wipe(string what) => Count("wipe", what);

    [McpServerTool(Name = "launch"), McpMeta("risk", "CRITICAL"), Description("Launches something.")]
    public string Launch(string target, int count = 1, JsonElement? options = null) =>
        Count("launch", $"{target} {count} {options}");

    [McpServerTool(Name = "other_launch"), McpMeta("risk", "CRITICAL"), Description("Launches something else.")]
    public string OtherLaunch(string target, int count = 1) => Count("other_launch", $"{target} {count}");

    [McpServerTool(Name = "note_that_fails", Destructive = false), Description("Cannot write it down.")]
    public static string NoteThatFails(string password) =>
        throw new McpException($"No, {password.Length} letters are too few.");

    private string Count(string tool, string said)
    {
        lock (_changing)
        {
            Done[tool] = Done.GetValueOrDefault(tool) + 1;
            Said.Add(said);
        }

        return said;
    }
}
