using System.Text.Json;

namespace MinimalMcp.Load;

/// <summary>
/// Other people's servers, under the same calls and with the same answer. They run where their packages are installed.
/// </summary>
internal static class Peers
{
    private const string Script = "tests/Load/peers/typescript-sdk.cjs",
        Packages = "tests/Clients/node_modules";

    public static async Task<List<ServerProcess>> StartAsync(
        OwnServers own,
        Options options,
        byte[] answer,
        Call call,
        LoadReport report
    )
    {
        if (options.Tool != "search_products")
        {
            report.LeftOut.Add(new("typescript-sdk", "it has the sample shop's search_products only"));
            return [];
        }

        var node = Path.GetFullPath($"{Packages}/node/bin/node");
        if (!File.Exists(node) || !File.Exists(Script))
        {
            report.LeftOut.Add(
                new(
                    "typescript-sdk",
                    $"its packages are not installed: npm ci --prefix {Path.GetDirectoryName(Packages)}"
                )
            );
            return [];
        }

        // The content that our server answered with, so that both write the same.
        using var message = JsonDocument.Parse(answer);
        var file = Path.Combine(own.Folder, "answer.json");
        await File.WriteAllTextAsync(file, message.RootElement.GetProperty("result").GetRawText());
        var server = own.Keep(
            ServerProcess.Start(
                "typescript-sdk",
                null,
                ServerStart.Node(
                    node,
                    Path.GetFullPath(Script),
                    new Dictionary<string, string> { ["NODE_PATH"] = Path.GetFullPath(Packages), ["ANSWER"] = file }
                )
            )
        );
        await server.FirstAnswer(call);
        report.LeftOut.Add(new($"typescript-sdk, {Call.Modern}", "this SDK refuses that revision"));
        return [server];
    }
}
