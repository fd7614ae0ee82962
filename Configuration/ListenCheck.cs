using System.Net;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>Checks the listening addresses, however they are configured.</summary>
internal sealed class ListenCheck(IConfiguration configuration) : IValidateOptions<ServerOptions>
{
    /// <summary>Without authentication only loopback is allowed; no setting changes that.</summary>
    public ValidateOptionsResult Validate(string? name, ServerOptions options)
    {
        var problems = new List<string>();
        if (
            configuration["mode"] is { } surfaces
            && surfaces.ToLowerInvariant() is not ("all" or "sse" or "rest" or "stdio")
        )
        {
            problems.Add(
                $"--mode is '{surfaces}'; it must be all, sse (MCP only), rest (REST and function calling only) or "
                    + "stdio."
            );
        }

        if (configuration["config"] is { } file && !File.Exists(file))
        {
            problems.Add($"--config is '{file}', but the file does not exist.");
        }

        var auth = configuration["Auth:Mode"] ?? "none";
        if (
            auth.Equals("none", StringComparison.OrdinalIgnoreCase)
            && Addresses(configuration).Where(address => !IsLoopback(address)).ToArray() is { Length: > 0 } open
        )
        {
            problems.Add(
                OpenToAll(open)
                    + " Or set Server:Host (MCP_SERVER_HOST) or --urls to 127.0.0.1, behind a reverse proxy that "
                    + "authenticates."
            );
        }

        if (
            auth.ToLowerInvariant() is not ("none" or "api-key")
            && !ForwardedHost.IsOn(configuration)
            && PublicUrlProblem(options) is { } problem
            && configuration["mode"] is not "stdio"
        )
        {
            problems.Add($"Auth:Mode (MCP_AUTH_MODE) is '{auth}', {problem}");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    // Tokens are bound to a URL and sent to it: it must be the URL that clients use, and must be encrypted (RFC 8414
    // section 2, RFC 9728 section 1.2).
    private string? PublicUrlProblem(ServerOptions options) =>
        options.PublicUri is { } url
            ? url.Scheme is "https" || url.IsLoopback
                ? null
                : $"but Server:PublicUrl (PUBLIC_URL) is '{url}', and OAuth requires https. Set PUBLIC_URL to the "
                    + "https URL of the reverse proxy or tunnel."
            : Addresses(configuration).All(IsLoopback)
                ? null
                : "but Server:PublicUrl (PUBLIC_URL) is not set. Tokens and documents contain the public URL. Set "
                    + "PUBLIC_URL to it, for example https://mcp.example.com.";

    /// <summary>Whether the settings say where to listen, in ASP.NET Core's own words.</summary>
    public static bool IsSaid(IConfiguration configuration) =>
        configuration["urls"] is { Length: > 0 }
        || Ports(configuration).Any()
        || configuration.GetSection("Kestrel:Endpoints").GetChildren().Any();

    // On all addresses, as images of ASP.NET Core say it: ASPNETCORE_HTTP_PORTS.
    private static IEnumerable<string> Ports(IConfiguration configuration) =>
        ((string[])["http", "https"]).SelectMany(scheme =>
            (configuration[scheme + "_ports"] ?? "")
                .Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(port => $"{scheme}://*:{port}")
        );

    private static IEnumerable<string> Addresses(IConfiguration configuration) =>
        configuration
            .GetSection("Kestrel:Endpoints")
            .GetChildren()
            .Select(endpoint => endpoint["Url"] ?? "")
            .Concat(
                configuration["urls"]?.Split(';')
                    ?? Ports(configuration).DefaultIfEmpty($"http://{configuration["Server:Host"] ?? "127.0.0.1"}")
            )
            .Where(address => address.Length > 0);

    /// <summary>Why a server without authentication does not listen on these addresses.</summary>
    internal static string OpenToAll(IEnumerable<string> addresses) =>
        "Auth:Mode (MCP_AUTH_MODE) is 'none', so the server may listen only on loopback, not on "
        + $"{string.Join(", ", addresses)}. Set MCP_AUTH_MODE to api-key and MCP_API_KEY to a key.";

    internal static bool IsLoopback(string address)
    {
        if (
            address.Contains("://unix:", StringComparison.OrdinalIgnoreCase)
            || address.Contains("://pipe:", StringComparison.OrdinalIgnoreCase)
        )
        {
            return true;
        }

        try
        {
            var host = Microsoft.AspNetCore.Http.BindingAddress.Parse(address).Host;
            return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                || (IPAddress.TryParse(host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
