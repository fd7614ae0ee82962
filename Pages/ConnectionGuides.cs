using MinimalMcp.Auth;

namespace MinimalMcp.Pages;

/// <summary>How to connect one kind of client.</summary>
/// <param name="Route">The route that it needs; null when it needs none.</param>
internal sealed record ConnectionGuide(string Title, string How, string Address, string? Route);

internal static class ConnectionGuides
{
    public static IEnumerable<ConnectionGuide> To(string url, AuthOptions auth, string application)
    {
        var signIn = auth.AdmitsGuests ? "Mixed" : "OAuth";
        yield return auth.TakesTokens || auth.IsOff
            ? new(
                "ChatGPT connector",
                "Enable developer mode in ChatGPT's settings. Add a custom MCP server with this URL and "
                    + $"{(auth.IsOff ? "No authentication" : signIn + " as authentication")}.",
                url + "/mcp",
                "/mcp"
            )
            : new(
                "MCP clients",
                "ChatGPT connectors cannot send an API key. Other MCP clients send it as Authorization: Bearer.",
                url + "/mcp",
                "/mcp"
            );
        yield return new(
            "GPT Action",
            "In the GPT editor: Create new action, Import from URL. Authentication: "
                + (
                    auth.IsOff ? "None."
                    : auth.OffersKeys ? "API Key, of type Bearer."
                    : "OAuth, with the URLs in the document."
                ),
            url + "/openapi.json",
            "/openapi.json"
        );
        yield return new(
            "Function calling",
            "Your program fetches the tool definitions here and passes them to the model."
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
            "For clients that support only HTTP+SSE of revision 2024-11-05.",
            url + "/sse",
            "/sse"
        );
        yield return new(
            "Desktop clients",
            "They start the server and communicate over standard input and output.",
            $"dotnet run --project /path/to/{application}.csproj --no-launch-profile -- --stdio",
            null
        );
    }
}
