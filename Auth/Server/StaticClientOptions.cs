using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Server;

/// <summary>A client that the operator entered: a GPT Action with an id and a secret, a program that calls by itself, or a public client.</summary>
public sealed class StaticClientOptions
{
    /// <summary>Shown to the person who is asked.</summary>
    public string? Name { get; set; }

    /// <summary>None makes it a public client, which must use PKCE.</summary>
    [DataType(DataType.Password)]
    public string? Secret { get; set; }

    /// <summary>The secret that replaces <see cref="Secret"/>: both are accepted until it takes its place.</summary>
    [DataType(DataType.Password)]
    public string? NextSecret { get; set; }

    /// <summary>Exact addresses, separated by commas. A client with a secret needs none to call by itself (client credentials).</summary>
    public string? RedirectUris { get; set; }

    /// <summary>
    /// What it may be allowed at most. Without one a person may allow it anything, and by itself it may read.
    /// </summary>
    public string? Scope { get; set; }

    internal string[] Redirects =>
        (RedirectUris ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    internal IEnumerable<string> Problems()
    {
        if (Secret is { Length: > 0 } && WeakSecret.Problem(Secret) is { } weak)
        {
            yield return $"Secret (OAUTH_CLIENT_SECRET) {weak}";
        }

        if (NextSecret is { Length: > 0 } && WeakSecret.Problem(NextSecret) is { } alsoWeak)
        {
            yield return $"NextSecret (OAUTH_CLIENT_SECRET_NEXT) {alsoWeak}";
        }

        if (NextSecret is { Length: > 0 } && string.IsNullOrEmpty(Secret))
        {
            yield return "NextSecret (OAUTH_CLIENT_SECRET_NEXT) is set without Secret (OAUTH_CLIENT_SECRET), "
                + "which it is to replace. Set OAUTH_CLIENT_SECRET to it.";
        }

        if (string.IsNullOrEmpty(Secret) && Redirects.Length == 0)
        {
            yield return "RedirectUris (OAUTH_REDIRECT_URI) is missing; a client without a secret can do nothing without one.";
        }

        foreach (var redirect in Redirects)
        {
            if (RedirectAddress.Unfit(redirect) is { } unfit)
            {
                yield return $"RedirectUris (OAUTH_REDIRECT_URI) has '{redirect}': {unfit}.";
            }
        }

        foreach (var scope in Scopes.Split(Scope ?? "").Except(Grantable.All))
        {
            yield return $"Scope (OAUTH_SCOPE) has '{scope}'; the scopes are {string.Join(' ', Grantable.All)}.";
        }
    }
}
