using System.Runtime.CompilerServices;
using System.Security.Claims;

namespace MinimalMcp.Auth;

/// <summary>The caller of a tool, as authorization, budgets and the audit log see it.</summary>
internal sealed class Caller
{
    /// <summary>The caller when authentication is disabled. The server then listens on loopback only.</summary>
    public static readonly Caller Local = new("local", null, int.MaxValue);

    /// <summary>An unauthenticated caller in mode mixed, who may read.</summary>
    internal static readonly ClaimsPrincipal Guest = new(
        new ClaimsIdentity([new("sub", "anonymous"), new("scope", Scopes.Read)], "Guest")
    );

    /// <summary><see cref="Local"/> as a principal of the framework.</summary>
    internal static readonly ClaimsPrincipal LocalUser = new(
        new ClaimsIdentity(
            [new("sub", "local"), .. Scopes.Split(Scopes.All).Select(scope => new Claim("scope", scope))],
            "Local"
        )
    );

    // An unauthenticated caller of an open route, without any scope.
    private static readonly Caller Nobody = new("anonymous", null, -1, isGuest: true);

    // Principals of keys and of cached tokens are the same objects from call to call.
    private static readonly ConditionalWeakTable<ClaimsPrincipal, Caller> Known = [];

    private Caller(string subject, string? client, int level, bool isGuest = false, string? kind = null)
    {
        HasKey = kind is "ApiKey" or ApiKeys.Stored;
        HasStoredKey = kind is ApiKeys.Stored;
        Subject = subject;
        Client = client;
        Level = level;
        IsGuest = isGuest;
    }

    /// <summary>The token's subject, or "local".</summary>
    public string Subject { get; }

    /// <summary>The OAuth client that the caller uses, if any.</summary>
    public string? Client { get; }

    /// <summary>Unauthenticated: signing in would grant more.</summary>
    public bool IsGuest { get; }

    /// <summary>The caller authenticated with an API key, so signing in cannot grant it more.</summary>
    internal bool HasKey { get; }

    /// <summary>A key that was created while the server ran.</summary>
    private bool HasStoredKey { get; }

    /// <summary>The rank of the caller's highest scope; -1 without one.</summary>
    public int Level { get; }

    public bool HasScope(string scope) => Scopes.Level(scope) <= Level && (Scopes.Level(scope) >= 0 || this == Local);

    /// <summary>The error for a missing scope, and how to get it.</summary>
    /// <param name="what">What was requested.</param>
    internal string LacksScope(string what, string scope) =>
        HasKey
            ? $"{what} needs the scope {scope}, and the key '{Subject}' has "
                + $"{(Level < 0 ? "none" : Scopes.UpTo(Scopes.OfLevel(Level)))}. "
                + (
                    HasStoredKey
                        ? "Use another key, or ask the operator to create one with the scope (POST /api/v1/keys)."
                        : $"Use another key, or ask the operator to add the scope (Auth:ApiKeys:{Subject}:Scopes)."
                )
            : $"{what} needs the scope {scope}, which this connection was not granted. Connect again and allow it.";

    /// <summary>
    /// Reads the claims of a verified credential: <c>sub</c>, <c>client_id</c> and one <c>scope</c> claim per scope.
    /// </summary>
    /// <param name="user">Null on standard input and output, where there is no request.</param>
    public static Caller From(ClaimsPrincipal? user) =>
        user is null || user == LocalUser ? Local
        : user.Identity is { IsAuthenticated: true } ? Known.GetValue(user, Read)
        : Nobody;

    private static Caller Read(ClaimsPrincipal user)
    {
        var subject = user.FindFirstValue("sub")
            ?? user.FindFirstValue(ClaimTypes.NameIdentifier)
            ?? throw new InvalidOperationException(
                "The authenticated caller has no subject. The authentication handler must set the claim 'sub'."
            );
        return new Caller(
            subject,
            user.FindFirstValue("client_id"),
            user.FindAll("scope").Select(claim => Scopes.Level(claim.Value)).DefaultIfEmpty(-1).Max(),
            user == Guest,
            user.Identity?.AuthenticationType
        );
    }
}
