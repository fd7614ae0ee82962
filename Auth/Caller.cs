using System.Security.Claims;

namespace MinimalMcp.Auth;

/// <summary>Who makes a call, as far as authorization, budgets and the audit need to know.</summary>
public sealed class Caller
{
    /// <summary>The caller when authentication is off: whoever is on this machine. The server then listens on loopback only.</summary>
    public static readonly Caller Local = new("local", null, scopes: null);

    private readonly HashSet<string>? _scopes;

    private Caller(string subject, string? client, HashSet<string>? scopes)
    {
        Subject = subject;
        Client = client;
        _scopes = scopes;
    }

    /// <summary>The token's subject, or "local".</summary>
    public string Subject { get; }

    /// <summary>The OAuth client that the caller uses, when there is one.</summary>
    public string? Client { get; }

    public bool HasScope(string scope) => _scopes is null || _scopes.Contains(scope);

    /// <summary>
    /// Reads the claims that an authentication handler leaves: <c>sub</c>, <c>client_id</c> and one <c>scope</c> claim per scope.
    /// </summary>
    public static Caller From(ClaimsPrincipal? user)
    {
        if (user?.Identity is not { IsAuthenticated: true })
        {
            return Local;
        }

        var subject = user.FindFirstValue("sub") ?? user.FindFirstValue(ClaimTypes.NameIdentifier)
            ?? throw new InvalidOperationException("An authenticated caller has no subject: the authentication handler must set the claim 'sub'.");
        return new Caller(subject, user.FindFirstValue("client_id"), user.FindAll("scope").Select(claim => claim.Value).ToHashSet(StringComparer.Ordinal));
    }
}
