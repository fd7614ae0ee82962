using System.Diagnostics;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Scripts;

/// <summary>Runs what a person would type, in the project's folder.</summary>
internal static class Shell
{
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string command,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo(Needs.Bash(), ["-euo", "pipefail", "-c", command])
        {
            WorkingDirectory = ClientProcess.Root,
        };
        start.Environment["MCP_AUTH_MODE"] = "none"; // whatever the project's own settings say
        start.Environment["Storage__Path"] = TestStores.New();
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return await ClientProcess.RunAsync(start);
    }
}
