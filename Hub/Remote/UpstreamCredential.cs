using System.Net.Http.Headers;

namespace MinimalMcp.Hub.Remote;

/// <summary>
/// What we show a remote server. It is always the operator's: what our callers send stays here (MCP, Security Best
/// Practices, "Token Passthrough").
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
                "auth_config.token"
            ),
            AuthType.ApiKey => new FixedCredential(
                server.AuthConfig.GetValueOrDefault("header") ?? DefaultHeader,
                server.AuthConfig.GetValueOrDefault("api_key") ?? "",
                "auth_config.api_key"
            ),
            _ => new FixedCredential(null, "", null),
        };

    public const string DefaultHeader = "X-API-Key";

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

    private sealed class FixedCredential(string? header, string value, string? setting) : UpstreamCredential
    {
        public override string Fix =>
            setting is null
                ? "It wants a credential: set auth_type to bearer, api_key or oauth."
                : $"Check {setting} of this server.";

        public override ValueTask AddAsync(HttpRequestHeaders headers, CancellationToken cancellationToken)
        {
            if (header is not null)
            {
                headers.Remove(header);
                headers.TryAddWithoutValidation(header, value);
            }

            return default;
        }
    }
}
