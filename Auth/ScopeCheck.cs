namespace MinimalMcp.Auth;

internal static class ScopeCheck
{
    /// <summary>For routes that are no tools. False after answering that the caller lacks the scope.</summary>
    public static async ValueTask<bool> RequireScopeAsync(this HttpContext http, string scope, string what)
    {
        if (Caller.From(http.User).HasScope(scope))
        {
            return true;
        }

        var why = $"{what} is for callers with the scope {scope}.";
        var status = http.RequestServices.GetRequiredService<Challenges>().Mark(http, scope, why);
        await Results.Problem(statusCode: status, title: "Forbidden", detail: why).ExecuteAsync(http);
        return false;
    }
}

/// <summary>Marks a route of tools: in mode mixed it also serves whoever has no token, and each tool decides.</summary>
internal sealed class GuestsMayAsk
{
    public static readonly GuestsMayAsk Mark = new();
}
