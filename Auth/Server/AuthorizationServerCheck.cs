using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth.Server;

/// <summary>Validates settings that depend on each other before the server starts.</summary>
internal sealed class AuthorizationServerCheck(IOptions<AuthOptions> auth)
    : IValidateOptions<AuthorizationServerOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthorizationServerOptions options)
    {
        var problems = Problems(options).ToArray();
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> Problems(AuthorizationServerOptions options)
    {
        var keys = auth.Value.ApiKeys.Keys.Concat(auth.Value.ApiKey is { Length: > 0 } ? ["default"] : []).ToArray();
        foreach (var both in keys.Intersect(options.Users.Keys))
        {
            yield return $"Auth:Users:{both} and the API key '{both}' have the same name, so budgets and the audit "
                + "log could not tell them apart. Rename one of them.";
        }
    }
}
