using MinimalMcp.Configuration;

namespace MinimalMcp.Hub.SignIn;

/// <summary>Where the routes of the hub are, for redirect URIs and for sentences.</summary>
internal sealed class HubAddress(IServiceProvider services)
{
    /// <summary>Set when the routes are mapped, before the settings are validated.</summary>
    public string Pattern { get; set; } = "/api/v1/servers";

    /// <summary>Where the page of callers is mapped.</summary>
    public string ConnectionsPattern { get; set; } = "/connections";

    /// <summary>The page on which callers store their secrets for servers.</summary>
    public string Connections => PublicUrl.Fixed(services) + ConnectionsPattern;

    public string Callback => PublicUrl.Fixed(services) + Pattern + UpstreamSignIn.Callback;

    /// <summary>The page on which an operator signs in at a server.</summary>
    public string SignIn(long server) => $"{PublicUrl.Fixed(services)}{Pattern}/{server}/sign-in";
}
