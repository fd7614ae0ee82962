using System.Net.Http.Headers;

namespace MinimalMcp.Hub.Remote;

/// <summary>
/// What we show a remote server: the operator's, or what a caller stored for it. What our callers send with their
/// requests stays here (MCP, Security Best Practices, "Token Passthrough").
/// </summary>
internal abstract class UpstreamCredential
{
    /// <summary>How to fix that the server refuses it.</summary>
    public abstract string Fix { get; }

    public abstract ValueTask AddAsync(HttpRequestHeaders headers, CancellationToken cancellationToken);

    /// <summary>After a 401. True when the request may be sent once more, with another credential.</summary>
    public virtual ValueTask<bool> RenewAsync(HttpRequestHeaders refused, CancellationToken cancellationToken) =>
        new(false);

    /// <summary>After another 401, with the renewed credential.</summary>
    public virtual ValueTask GiveUpAsync(HttpRequestHeaders refused, CancellationToken cancellationToken) => default;

    public static UpstreamCredential Of(ServerDefinition server) =>
        server.Auth switch
        {
            AuthType.Bearer => new FixedCredential(
                "Authorization",
                "Bearer " + server.AuthConfig.GetValueOrDefault("token"),
                Check("token")
            ),
            AuthType.ApiKey => new FixedCredential(
                server.AuthConfig.GetValueOrDefault("header") ?? DefaultHeader,
                server.AuthConfig.GetValueOrDefault("api_key") ?? "",
                Check("api_key")
            ),
            AuthType.PerCaller => OfLists(server),
            _ => new FixedCredential(
                null,
                "",
                "It wants a credential: set auth_type to bearer, api_key or oauth, or to per_caller."
            ),
        };

    public const string DefaultHeader = "X-API-Key";

    private const string Authorization = "Authorization";

    /// <summary>The header that takes callers' secrets, and its value for one of them.</summary>
    protected static (string Name, string Value) HeaderOf(ServerDefinition server, string secret)
    {
        var name = server.AuthConfig.GetValueOrDefault("header") ?? Authorization;
        var prefix = server.AuthConfig.GetValueOrDefault("prefix")
            ?? (name.Equals(Authorization, StringComparison.OrdinalIgnoreCase) ? "Bearer" : "");
        return (name, prefix.Length > 0 ? $"{prefix} {secret}" : secret);
    }

    protected static void Set(HttpRequestHeaders headers, string name, string value)
    {
        headers.Remove(name);
        headers.TryAddWithoutValidation(name, value);
    }

    // Lists and health checks are the operator's, whose own secret callers never use.
    private static FixedCredential OfLists(ServerDefinition server)
    {
        if (server.AuthConfig.GetValueOrDefault("token") is not { Length: > 0 } own)
        {
            return new(
                null,
                "",
                "Its lists are read without a credential, and it wants one: set auth_config.token of this server to a "
                    + "secret of the operator. It is used for lists and health checks only."
            );
        }

        var (name, value) = HeaderOf(server, own);
        return new(name, value, Check("token"));
    }

    private static string Check(string member) => $"Check auth_config.{member} of this server.";

    /// <summary>What is wrong with the credential of a definition, for the one who sends it.</summary>
    public static string? Problem(ServerDefinition server)
    {
        var config = server.AuthConfig;
        var needed = server.Auth switch
        {
            AuthType.Bearer => "token",
            AuthType.ApiKey => "api_key",
            _ => null,
        };
        return server.Auth is AuthType.Oauth ? OAuthProblem(config)
            : server.Auth is AuthType.PerCaller ? PerCallerProblem(config)
            : needed is null ? null
            : !config.TryGetValue(needed, out var secret) || secret.Length == 0
                ? $"auth_config.{needed} is missing: auth_type {ServerBody.Shown(server.Auth)} sends it to the server."
            : secret.Any(letter => letter is < ' ' or > '~')
                ? $"auth_config.{needed} has a character that no HTTP header may have."
            : server.Auth is not AuthType.ApiKey ? null
            : config.TryGetValue("in", out var place) && place != "header"
                ? "auth_config.in must be header. A key in the address of a request is written to logs on its way; if "
                    + "the server takes it nowhere else, put it into url, which is stored encrypted."
            : config.TryGetValue("header", out var header) && !IsFree(header)
                ? "auth_config.header must be the name of a header that HTTP and MCP do not use themselves, such as "
                    + $"{DefaultHeader}."
            : null;
    }

    private static string? OAuthProblem(IReadOnlyDictionary<string, string> config) =>
        config.ContainsKey("client_secret") && config.GetValueOrDefault("client_id") is null or ""
            ? "auth_config.client_id is missing: client_secret belongs to one."
            : null;

    // A member that is misspelt would send secrets in another way than the operator means.
    private static string? PerCallerProblem(IReadOnlyDictionary<string, string> config) =>
        config.Keys.FirstOrDefault(name => name is not ("header" or "prefix" or "token")) is not null
            ? "auth_config of auth_type per_caller has header, prefix and token, and nothing else."
        : config.TryGetValue("header", out var header) && !IsFree(header)
            ? "auth_config.header must be the name of a header that HTTP and MCP do not use themselves. Without it "
                + $"callers' secrets are sent as {Authorization}: Bearer."
        : config.TryGetValue("prefix", out var prefix)
        && (prefix.Length > 100 || prefix != prefix.Trim() || prefix.Any(letter => letter is < ' ' or > '~'))
            ? "auth_config.prefix must be a word that an HTTP header may have, such as Bearer. A space follows it."
        : config.TryGetValue("token", out var token) && token.Any(letter => letter is < ' ' or > '~')
            ? "auth_config.token has a character that no HTTP header may have."
        : null;

    private static bool IsFree(string header)
    {
        string[] used = ["Accept", "Host", "Connection", "Transfer-Encoding", "Upgrade", "Expect", "TE", "Trailer"];
        using var probe = new HttpRequestMessage();
        return header.Length <= 100
            && !used.Contains(header, StringComparer.OrdinalIgnoreCase)
            && !header.StartsWith("Mcp-", StringComparison.OrdinalIgnoreCase)
            && !header.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase)
            && probe.Headers.TryAddWithoutValidation(header, "value"); // not one of a body, and a token (RFC 9110)
    }

    private sealed class FixedCredential(string? header, string value, string fix) : UpstreamCredential
    {
        public override string Fix => fix;

        public override ValueTask AddAsync(HttpRequestHeaders headers, CancellationToken cancellationToken)
        {
            if (header is not null)
            {
                Set(headers, header, value);
            }

            return default;
        }
    }
}
