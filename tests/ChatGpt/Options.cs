namespace MinimalMcp.ChatGpt;

/// <summary>What to check and with what; each is an argument: <c>https://mcp.example.com/mcp --key KEY</c>.</summary>
internal sealed record Options
{
    /// <summary>The address that a person pastes into ChatGPT.</summary>
    public required Uri Url { get; init; }

    /// <summary>What the sign-in page is given: the operator's key, or a password.</summary>
    public string? Key { get; init; }

    /// <summary>A user's name, where the page asks for one.</summary>
    public string? User { get; init; }

    /// <summary>A client that the server knows beforehand, as the settings of a GPT Action name it.</summary>
    public string? ClientId { get; init; }

    public string? ClientSecret { get; init; }

    /// <summary>Where the pre-registered client is answered.</summary>
    public string ActionRedirect { get; init; } = "https://chat.openai.com/aip/g-0123456789/oauth/callback";

    /// <summary>
    /// Port for the client documents that this program serves on loopback; 0 leaves their checks out. A server on the
    /// internet cannot read them there.
    /// </summary>
    public int DocumentsPort { get; init; }

    public static Options? Parse(string[] args)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 1; i + 1 < args.Length; i += 2)
        {
            named[args[i]] = args[i + 1];
        }

        string? Named(string name) => named.Remove(name, out var value) ? value : null;
        if (
            args.Length % 2 == 0
            || !Uri.TryCreate(args[0], UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https")
        )
        {
            return null;
        }

        var options = new Options
        {
            Url = url,
            Key = Named("--key") ?? Environment.GetEnvironmentVariable("MCP_API_KEY"),
            User = Named("--user"),
            ClientId = Named("--client-id"),
            ClientSecret = Named("--client-secret"),
        };
        options = options with
        {
            ActionRedirect = Named("--action-redirect") ?? options.ActionRedirect,
            DocumentsPort = int.TryParse(Named("--documents-port"), out var port) ? port : 0,
        };
        return named.Count == 0 ? options : null;
    }
}
