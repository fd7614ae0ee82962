using System.Security.Claims;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

/// <summary>What another MCP server offers beside its tools, with the names here and its own.</summary>
internal sealed class JoinedServer(string name, IServerRequests requests)
{
    /// <summary>Its name, which is its profile too.</summary>
    public string Name => name;

    public IReadOnlyList<Joined<Prompt>> Prompts { get; init; } = [];

    public IReadOnlyList<Joined<Resource>> Resources { get; init; } = [];

    public IReadOnlyList<Joined<ResourceTemplate>> Templates { get; init; } = [];

    public IServerRequests Requests => requests;

    /// <summary>Its own URI for one from here; null when it has none.</summary>
    public string? OwnUri(string uri) =>
        ServerUri.Split(uri) is { } split
            ? split.Server == name
                ? split.Uri
                : null
            : Resources.Any(one => one.Name == uri)
                ? uri
                : Templates.Any(one => IsExpansion(uri, one.Name))
                    ? uri
                    : null;

    /// <summary>The URI here for one of its own, in a list, a link or an embedded resource.</summary>
    public string UriHere(string own) =>
        Resources.FirstOrDefault(one => one.Own.Uri == own)?.Name ?? ServerUri.Join(name, own);

    /// <summary>Gives links and embedded resources their URIs here.</summary>
    public static void Rename(IEnumerable<ContentBlock> content, Func<string, string> uriHere)
    {
        foreach (var block in content)
        {
            switch (block)
            {
                case ResourceLinkBlock link:
                    link.Uri = uriHere(link.Uri);
                    break;
                case EmbeddedResourceBlock { Resource: { } resource }:
                    resource.Uri = uriHere(resource.Uri);
                    break;
            }
        }
    }

    // A server with names of its own: what is before the first variable decides.
    private static bool IsExpansion(string uri, string template) =>
        template.IndexOf('{') is > 0 and var end
        && uri.AsSpan().StartsWith(template.AsSpan(0, end), StringComparison.Ordinal);
}

/// <summary>A definition, and the name or URI that it has here.</summary>
internal sealed record Joined<T>(string Name, T Own);

/// <summary>
/// Requests to another server, with its own names and URIs. A failure is an exception with a sentence for the caller.
/// </summary>
internal interface IServerRequests
{
    ValueTask<GetPromptResult> GetPromptAsync(
        GetPromptRequestParams parameters,
        ClaimsPrincipal? user,
        CancellationToken cancellationToken
    );

    ValueTask<ReadResourceResult> ReadAsync(string uri, ClaimsPrincipal? user, CancellationToken cancellationToken);

    ValueTask<CompleteResult> CompleteAsync(
        CompleteRequestParams parameters,
        ClaimsPrincipal? user,
        CancellationToken cancellationToken
    );
}
