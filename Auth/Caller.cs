using System.Runtime.CompilerServices;
using System.Security.Claims;

namespace MinimalMcp.Auth;

/// <summary>Who makes a call, as far as authorization, budgets and the audit need to know.</summary>
public sealed class Caller
{
    /// <summary>The caller when authentication is off: whoever is on this machine. The server then listens on loopback only.</summary>
    public static readonly Caller Local = new("local", null, int.MaxValue);

    /// <summary>Whoever has no credential, in mode mixed: may read.</summary>
    internal static readonly ClaimsPrincipal Guest = new(
        new ClaimsIdentity([new("sub", "anonymous"), new("scope", Scopes.Read)], "Guest")
    );

    /// <summary>The same for the framework's authentication.</summary>
    internal static readonly ClaimsPrincipal LocalUser = new(
        new ClaimsIdentity(
            [new("sub", "local"), .. Scopes.Split(Scopes.All).Select(scope => new Claim("scope", scope))],
            "Local"
        )
    );

    // Whoever asks for what is open to everybody: may do nothing that a scope is needed for.
    private static readonly Caller Nobody = new("anonymous", null, -1, isGuest: true);

    // The principals of keys and of tokens that are known already are the same objects from call to call.
    private static readonly ConditionalWeakTable<ClaimsPrincipal, Caller> Known = [];

    private Caller(string subject, string? client, int level, bool isGuest = false, bool hasKey = false)
    {
        HasKey = hasKey;
        Subject = subject;
        Client = client;
        Level = level;
        IsGuest = isGuest;
    }

    /// <summary>The token's subject, or "local".</summary>
    public string Subject { get; }

    /// <summary>The OAuth client that the caller uses, when there is one.</summary>
    public string? Client { get; }

    /// <summary>Nobody in particular: signing in would allow more.</summary>
    public bool IsGuest { get; }

    /// <summary>The caller sent a key of the settings: nobody can allow it more by signing in.</summary>
    private bool HasKey { get; }

    /// <summary>How far the caller's largest scope reaches; -1 when there is none.</summary>
    public int Level { get; }

    public bool HasScope(string scope) => Scopes.Level(scope) <= Level && (Scopes.Level(scope) >= 0 || this == Local);

    /// <summary>What is missing, and how to get it.</summary>
    /// <param name="what">What was asked for.</param>
    internal string LacksScope(string what, string scope) =>
        HasKey
            ? $"{what} needs the scope {scope}, and the key '{Subject}' has {(Level < 0 ? "none" : Scopes.UpTo(Scopes.OfLevel(Level)))}. "
                + $"Use another key, or ask the operator to add the scope (Auth:ApiKeys:{Subject}:Scopes)."
            : $"{what} needs the scope {scope}, which this connection was not granted. Connect again and allow it.";

    /// <summary>
    /// Reads the claims that the check of a credential leaves: <c>sub</c>, <c>client_id</c> and one <c>scope</c> claim per scope.
    /// </summary>
    /// <param name="user">Null where there is no request: on standard input and output.</param>
    public static Caller From(ClaimsPrincipal? user) =>
        user is null || user == LocalUser ? Local
        : user.Identity is { IsAuthenticated: true } ? Known.GetValue(user, Read)
        : Nobody;

    private static Caller Read(ClaimsPrincipal user)
    {
        var subject = user.FindFirstValue("sub")
            ?? user.FindFirstValue(ClaimTypes.NameIdentifier)
            ?? throw new InvalidOperationException(
                "An authenticated caller has no subject: the check of the credential must set the claim 'sub'."
            );
        return new Caller(
            subject,
            user.FindFirstValue("client_id"),
            user.FindAll("scope").Select(claim => Scopes.Level(claim.Value)).DefaultIfEmpty(-1).Max(),
            user == Guest,
            user.Identity?.AuthenticationType == "ApiKey"
        );
    }
}
