namespace MinimalMcp.Tools;

/// <summary>
/// The URI here of another server's resource: <c>hub://{server}/{its own URI}</c>. Servers choose URIs without knowing
/// each other, so that two may use the same one. Templates keep their variables.
/// </summary>
internal static class ServerUri
{
    private const string Start = "hub://";

    public static string Join(string server, string uri) => $"{Start}{server}/{uri}";

    /// <summary>The server and the resource's own URI; null when it is not such a URI.</summary>
    public static (string Server, string Uri)? Split(string uri) =>
        uri.StartsWith(Start, StringComparison.Ordinal)
        && uri.IndexOf('/', Start.Length) is var end
        && end > Start.Length
        && end < uri.Length - 1
            ? (uri[Start.Length..end], uri[(end + 1)..])
            : null;
}
