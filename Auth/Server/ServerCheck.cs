using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth.Server;

/// <summary>What must be right together before the server may start.</summary>
internal sealed class ServerCheck(IConfiguration configuration, IOptions<AuthOptions> auth, IServiceProvider services) : IValidateOptions<AuthorizationServerOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthorizationServerOptions options)
    {
        var problems = Problems(options).ToArray();
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> Problems(AuthorizationServerOptions options)
    {
        var url = PublicUrl.Configured(configuration);
        if (url is null && !ListenCheck.IsLoopbackOnly(configuration))
        {
            yield return "Server:PublicUrl (PUBLIC_URL) is missing. The authorization server names itself in every token and document, so it must know the address that the world uses, such as https://mcp.example.com.";
        }

        if (url is not null && Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme != "https" && !RedirectAddress.IsLoopback(address))
        {
            yield return $"Server:PublicUrl (PUBLIC_URL) is '{url}'; with an authorization server it must be https, because keys and tokens travel there.";
        }

        var keys = auth.Value.ApiKeys.Keys.Concat(auth.Value.ApiKey is { Length: > 0 } ? ["default"] : []).ToArray();
        if (keys.Length == 0 && options.Users.Count == 0 && services.GetService<ISignIn>() is null)
        {
            yield return "Nobody could sign in: set MCP_API_KEY to what `openssl rand -hex 32` prints, and type it on the page that asks; or add people under Auth:Users.";
        }

        foreach (var both in keys.Intersect(options.Users.Keys))
        {
            yield return $"Auth:Users:{both} and the key '{both}' have one name; budgets and the record would take them for one person.";
        }
    }
}
