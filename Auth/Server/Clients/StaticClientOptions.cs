using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// A pre-registered client: a GPT Action with id and secret, a program that uses client credentials, or a public
/// client.
/// </summary>
internal sealed class StaticClientOptions
{
    /// <summary>The name on the consent page.</summary>
    public string? Name { get; set; }

    /// <summary>The client secret. A client without one is public and must use PKCE.</summary>
    [DataType(DataType.Password)]
    public string? Secret { get; set; }

    /// <summary>The secret that replaces <see cref="Secret"/>. Both are accepted during the rotation.</summary>
    [DataType(DataType.Password)]
    public string? NextSecret { get; set; }

    /// <summary>
    /// Exact redirect URIs, separated by commas. A client with a secret needs none for client credentials.
    /// </summary>
    public string? RedirectUris { get; set; }

    /// <summary>
    /// The scopes that the client may be granted. By default a user may grant it any scope, and on its own behalf it
    /// may read.
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
            yield return "NextSecret (OAUTH_CLIENT_SECRET_NEXT) is set, but Secret (OAUTH_CLIENT_SECRET), which it "
                + "replaces, is not. Set OAUTH_CLIENT_SECRET to it.";
        }

        if (string.IsNullOrEmpty(Secret) && Redirects.Length == 0)
        {
            yield return "RedirectUris (OAUTH_REDIRECT_URI) is missing; a client without a secret needs one.";
        }

        foreach (var redirect in Redirects)
        {
            if (RedirectAddress.Unfit(redirect) is { } unfit)
            {
                yield return $"RedirectUris (OAUTH_REDIRECT_URI) has '{redirect}': {unfit}.";
            }
        }

        foreach (var scope in Scopes.Split(Scope ?? "").Except(GrantableScopes.All))
        {
            yield return $"Scope (OAUTH_SCOPE) has '{scope}'; the scopes are {string.Join(' ', GrantableScopes.All)}.";
        }
    }
}
