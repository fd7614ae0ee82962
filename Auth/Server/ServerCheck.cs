using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Server;

/// <summary>What must be right together before the server may start.</summary>
internal sealed class ServerCheck(IOptions<AuthOptions> auth, IServiceProvider services) : IValidateOptions<AuthorizationServerOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthorizationServerOptions options)
    {
        var problems = Problems(options).ToArray();
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> Problems(AuthorizationServerOptions options)
    {
        var keys = auth.Value.ApiKeys.Keys.Concat(auth.Value.ApiKey is { Length: > 0 } ? ["default"] : []).ToArray();
        if (keys.Length == 0 && options.Users.Count == 0 && services.GetService<ISignIn>() is null && services.GetService<IAccessTokens>() is OwnTokens)
        {
            yield return "Nobody could sign in: set MCP_API_KEY to what `openssl rand -hex 32` prints, and type it on the page that asks; or add people under Auth:Users.";
        }

        foreach (var both in keys.Intersect(options.Users.Keys))
        {
            yield return $"Auth:Users:{both} and the key '{both}' have one name; budgets and the record would take them for one person.";
        }
    }
}
