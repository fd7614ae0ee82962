namespace MinimalMcp.Auth.Server;

/// <summary>
/// Signs users in at an identity provider instead of on our own page. The browser goes there after consent and returns
/// to <c>/auth/callback</c>.
/// </summary>
internal interface IExternalSignIn
{
    /// <summary>The provider's name, for the consent page.</summary>
    string Name { get; }

    /// <summary>
    /// The origin of the provider's authorization endpoint, which the page's Content-Security-Policy must allow as a
    /// form target.
    /// </summary>
    ValueTask<string> OriginAsync(CancellationToken cancellationToken);

    /// <summary>The URL that the browser is sent to.</summary>
    /// <param name="state">Returned with the response. Unguessable and used once.</param>
    ValueTask<Uri> StartAsync(string state, CancellationToken cancellationToken);

    /// <summary>Verifies the provider's response and returns the user.</summary>
    /// <exception cref="SignInException">The response is invalid, or the user may not use this server.</exception>
    ValueTask<ExternalUser> FinishAsync(string state, IQueryCollection answer, CancellationToken cancellationToken);
}

/// <summary>A user of the identity provider.</summary>
/// <param name="Subject">Identifies the user permanently, even when name and email change.</param>
/// <param name="IsAdmin">Has a role of <c>Auth:Provider:AdminRoles</c>.</param>
internal sealed record ExternalUser(string Subject, string? Name = null, string? Email = null, bool IsAdmin = false);

/// <summary>The sign-in failed. The message is shown to the user.</summary>
internal sealed class SignInException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The message for the log, with details for the operator.</summary>
    public string Reason
    {
        get => field ?? Message;
        init;
    }
}
