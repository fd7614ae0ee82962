using System.Net;
using System.Text.Json;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// A server that lets anybody read: ChatGPT connects without signing in, and signs in when a tool wants it.
/// </summary>
internal static class MixedChecks
{
    public static async Task RunAsync(Checklist checks, Target target, Options options)
    {
        checks.Group("Mixed: reading without signing in");
        JsonElement[] tools = [];
        await checks.CheckAsync("the tools are listed to everybody, each with what it wants", async () =>
        {
            tools = await CallChecks.ToolsAsync(target);
            Must.Be(tools.All(tool => tool.TryGetProperty("securitySchemes", out _)), "a tool has no securitySchemes");
        });
        await checks.CheckAsync("a tool that reads says noauth", () =>
            DiscoveryChecks.Is(
                tools.Where(CallChecks.CanBeTried).All(tool => Types(tool).Contains("noauth")),
                "one does not"
            )
        );
        await checks.CheckAsync("a tool that writes says oauth2 with its scopes", () =>
            DiscoveryChecks.Is(
                tools
                    .Where(tool => !Reads(tool))
                    .All(tool =>
                        Types(tool) is ["oauth2"] && tool.GetProperty("securitySchemes")[0].Texts("scopes").Length > 0
                    ),
                "one does not"
            )
        );
        if (tools.FirstOrDefault(CallChecks.CanBeTried) is { ValueKind: JsonValueKind.Object } reading)
        {
            await checks.CheckAsync($"{reading.Text("name")} answers without a token", async () =>
            {
                var result = (
                    await target.McpAsync("tools/call", new { name = reading.Text("name"), arguments = new { } })
                )
                    .Requires(HttpStatusCode.OK)
                    .Result;
                Must.Be(!result.TryGetProperty("isError", out var wrong) || !wrong.GetBoolean(), result.GetRawText());
            });
        }

        if (tools.FirstOrDefault(tool => !Reads(tool)) is { ValueKind: JsonValueKind.Object } writing)
        {
            await checks.CheckAsync($"{writing.Text("name")} asks ChatGPT to sign the person in", async () =>
            {
                var result = (
                    await target.McpAsync("tools/call", new { name = writing.Text("name"), arguments = new { } })
                )
                    .Requires(HttpStatusCode.OK)
                    .Result;
                Must.Be(result.GetProperty("isError").GetBoolean(), "the call was made");
                var challenge = result.GetProperty("_meta").GetProperty("mcp/www_authenticate")[0].GetString()!;
                Must.Be(
                    challenge.Contains("error=\"", StringComparison.Ordinal)
                        && challenge.Contains("error_description=\"", StringComparison.Ordinal),
                    challenge
                );
                DiscoveryChecks.ResourceMetadata(challenge);
            });
        }

        await checks.CheckAsync("a made-up token is still 401", async () =>
            (await target.InitializeAsync("made-up")).Requires(HttpStatusCode.Unauthorized)
        );
        using var person = new Person(options);
        await checks.CheckAsync("who signs in is shown everything", async () =>
        {
            var tokens = await (await ConnectionChecks.RegisterAsync(target, Client.StableRedirect)).ConnectAsync(
                person
            );
            Must.Equal(
                tools.Length,
                (await CallChecks.ToolsAsync(target, tokens.Access)).Length,
                "the number of tools"
            );
        });
    }

    private static bool Reads(JsonElement tool) =>
        tool.GetProperty("annotations").GetProperty("readOnlyHint").GetBoolean();

    private static string[] Types(JsonElement tool) =>
        [.. tool.GetProperty("securitySchemes").EnumerateArray().Select(scheme => scheme.Text("type"))];
}
