using System.Net;
using System.Text.Json;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// What ChatGPT does once it is connected: lists, calls, refreshes, loses an answer, and is disconnected.
/// </summary>
internal static class CallChecks
{
    public static async Task RunAsync(Checklist checks, Target target, Options options)
    {
        checks.Group("Connected");
        using var person = new Person(options);
        Client client = null!;
        Tokens tokens = null!;
        if (
            !await checks.CheckAsync("ChatGPT connects with all advertised scopes", async () =>
                tokens = await (
                    client = await ConnectionChecks.RegisterAsync(target, Client.StableRedirect)
                ).ConnectAsync(person)
            )
        )
        {
            return;
        }

        JsonElement[] tools = [];
        await checks.CheckAsync("the tools are listed", async () =>
        {
            tools = await ToolsAsync(target, tokens.Access);
            Must.Be(tools.Length > 0, "there are none");
        });
        await checks.CheckAsync("every tool says whether it reads, destroys and reaches the open world", () =>
            DiscoveryChecks.Is(
                tools.All(tool =>
                    tool.TryGetProperty("annotations", out var hints)
                    && new[] { "readOnlyHint", "destructiveHint", "openWorldHint" }.All(hint =>
                        hints.TryGetProperty(hint, out _)
                    )
                ),
                "a hint is missing"
            )
        );
        await checks.CheckAsync("every tool carries securitySchemes, twice the same", () =>
            DiscoveryChecks.Is(
                tools.All(tool =>
                    tool.TryGetProperty("securitySchemes", out var schemes)
                    && tool.GetProperty("_meta").GetProperty("securitySchemes").GetRawText() == schemes.GetRawText()
                ),
                "one does not"
            )
        );
        if (tools.FirstOrDefault(CanBeTried) is { ValueKind: JsonValueKind.Object } tool)
        {
            var name = tool.Text("name");
            await checks.CheckAsync($"{name} answers over MCP", async () =>
            {
                var result = (await target.McpAsync("tools/call", new { name, arguments = new { } }, tokens.Access))
                    .Requires(HttpStatusCode.OK)
                    .Result;
                Must.Be(!result.TryGetProperty("isError", out var wrong) || !wrong.GetBoolean(), result.GetRawText());
            });
            await checks.CheckAsync($"{name} answers as an operation of a GPT Action", async () =>
                (await target.PostJsonAsync($"/tools/{name}", new { }, tokens.Access)).Requires(HttpStatusCode.OK)
            );
            await checks.CheckAsync($"{name} answers over function calling", async () => _ = (
                    await target.PostJsonAsync(
                        "/api/mcp/v1/call",
                        new
                        {
                            jsonrpc = "2.0",
                            id = 1,
                            method = "tools/call",
                            @params = new { name },
                        },
                        tokens.Access
                    )
                ).Requires(HttpStatusCode.OK).Result);
            await checks.CheckAsync("a token in the address opens nothing", async () =>
                Must.Be(
                    (await target.PostJsonAsync($"/tools/{name}?access_token={tokens.Access}", new { })).Status
                        is HttpStatusCode.Unauthorized
                            or HttpStatusCode.BadRequest,
                    "the call was made"
                )
            );
        }
        else
        {
            checks.LeaveOut("calls", "no tool only reads and needs no argument");
        }

        await checks.CheckAsync("a token with one letter changed is 401 invalid_token", async () =>
        {
            var changed = tokens.Access[..^10] + (tokens.Access[^10] == 'A' ? 'B' : 'A') + tokens.Access[^9..];
            Must.Be(
                (await target.InitializeAsync(changed))
                    .Requires(HttpStatusCode.Unauthorized)
                    .Challenge.Contains("invalid_token", StringComparison.Ordinal),
                "no invalid_token"
            );
        });
        await NarrowAsync(checks, target, client, person);
        await RefreshAsync(checks, target, client, tokens);
    }

    public static async Task<JsonElement[]> ToolsAsync(Target target, string? token = null) =>
        [
            .. (await target.McpAsync("tools/list", token: token))
                .Requires(HttpStatusCode.OK)
                .Result.GetProperty("tools")
                .EnumerateArray(),
        ];

    // Nothing is changed on a server that somebody uses.
    public static bool CanBeTried(JsonElement tool) =>
        tool.TryGetProperty("annotations", out var hints)
        && hints.TryGetProperty("readOnlyHint", out var reads)
        && reads.ValueKind is JsonValueKind.True
        && (
            !tool.GetProperty("inputSchema").TryGetProperty("required", out var required)
            || required.GetArrayLength() == 0
        );

    private static async Task NarrowAsync(Checklist checks, Target target, Client client, Person person) =>
        await checks.CheckAsync("a connection that may only read is shown no tool that writes", async () =>
        {
            var narrow = await client.ConnectAsync(person, "mcp:read");
            var tools = await ToolsAsync(target, narrow.Access);
            Must.Be(
                tools.All(tool => tool.GetProperty("annotations").GetProperty("readOnlyHint").GetBoolean()),
                "a tool that writes is listed"
            );
        });

    private static async Task RefreshAsync(Checklist checks, Target target, Client client, Tokens tokens)
    {
        var second = tokens;
        await checks.CheckAsync("a refresh gives new tokens", async () =>
        {
            second = Tokens.From(await client.RefreshAsync(tokens.Refresh!));
            Must.Be(
                second.Access != tokens.Access && second.Refresh is not null && second.Refresh != tokens.Refresh,
                "a token is the old one"
            );
        });
        await checks.CheckAsync(
            "the same refresh again, because the answer was lost, gives the same successor",
            async () =>
                Must.Equal(
                    second.Refresh,
                    Tokens.From(await client.RefreshAsync(tokens.Refresh!)).Refresh,
                    "refresh_token"
                )
        );
        await checks.CheckAsync("the new access token opens the server", async () =>
            (await target.InitializeAsync(second.Access)).Requires(HttpStatusCode.OK)
        );
        await checks.CheckAsync("a refresh for less is granted as less", async () =>
        {
            second = Tokens.From(await client.RefreshAsync(second.Refresh!, ("scope", "mcp:read")));
            Must.Equal("mcp:read", second.Scope, "scope");
        });
        await checks.CheckAsync("a refresh for another resource is invalid_target", async () =>
            Must.Equal(
                "invalid_target",
                ConnectionChecks.Error(
                    await client.RefreshAsync(second.Refresh!, ("resource", "https://other.example/mcp"))
                ),
                "error"
            )
        );
        await checks.CheckAsync(
            "a made-up refresh token is invalid_grant, which makes ChatGPT ask to connect again",
            async () =>
                Must.Equal("invalid_grant", ConnectionChecks.Error(await client.RefreshAsync("made-up")), "error")
        );
        await checks.CheckAsync("disconnecting revokes: the refresh token is invalid_grant", async () =>
        {
            (await client.RevokeAsync(second.Refresh!)).Requires(HttpStatusCode.OK);
            Must.Equal("invalid_grant", ConnectionChecks.Error(await client.RefreshAsync(second.Refresh!)), "error");
        });
        await checks.CheckAsync("... and the access token is 401 with the way to sign in again", async () =>
            DiscoveryChecks.ResourceMetadata(
                (await target.InitializeAsync(second.Access)).Requires(HttpStatusCode.Unauthorized).Challenge
            )
        );
        await checks.CheckAsync("revoking a token that is not there is fine", async () =>
            (await client.RevokeAsync("made-up")).Requires(HttpStatusCode.OK)
        );
    }
}
