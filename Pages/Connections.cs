using MinimalMcp.Auth;

namespace MinimalMcp.Pages;

/// <summary>One way of connecting, and what to paste for it.</summary>
/// <param name="Route">What must be mapped for it; null when no route is needed.</param>
internal sealed record Connection(string Title, string How, string Address, string? Route);

internal static class Connections
{
    public static IEnumerable<Connection> To(string url, AuthOptions auth)
    {
        var signIn = auth.AdmitsGuests ? "Mixed" : "OAuth";
        yield return auth.TakesTokens || auth.IsOff
            ? new(
                "ChatGPT connector",
                $"Turn on developer mode in ChatGPT's settings and add a custom MCP server with this address and {(auth.IsOff ? "No authentication" : signIn + " as authentication")}.",
                url + "/mcp",
                "/mcp"
            )
            : new(
                "MCP clients",
                "A connector cannot send a key, so ChatGPT gets no further than this address. Other MCP clients send it as Authorization: Bearer.",
                url + "/mcp",
                "/mcp"
            );
        yield return new(
            "GPT Action",
            "In the GPT editor: Create new action, Import from URL. Authentication: "
                + (
                    auth.IsOff ? "None."
                    : auth.OffersKeys ? "API Key, of type Bearer."
                    : "OAuth, with the addresses that the document names."
                ),
            url + "/openapi.json",
            "/openapi.json"
        );
        yield return new(
            "Function calling",
            "Your own program fetches the definitions here and hands them to the model."
                + (
                    auth.IsOff
                        ? ""
                        : $" It sends {(auth.OffersKeys ? "the key" : "an access token")} as Authorization: Bearer."
                ),
            url + "/api/mcp/v1/tools",
            "/api/mcp/v1/tools"
        );
        yield return new(
            "Older MCP clients",
            "For clients that know only HTTP with SSE, of revision 2024-11-05.",
            url + "/sse",
            "/sse"
        );
        yield return new(
            "Desktop hosts",
            "They start the server themselves and speak over standard input and output.",
            $"dotnet run --project /path/to/{typeof(Connections).Assembly.GetName().Name}.csproj --no-launch-profile -- --stdio",
            null
        );
    }
}
