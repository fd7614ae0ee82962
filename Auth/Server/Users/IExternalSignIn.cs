namespace MinimalMcp.Auth.Server;

/// <summary>
/// Signs people in instead of our own page: an identity provider, to which the browser goes after the person has
/// agreed, and from which it comes back to <c>/auth/callback</c>.
/// </summary>
internal interface IExternalSignIn
{
    /// <summary>Shown on the page: "Continue to sign in with NAME".</summary>
    string Name { get; }

    /// <summary>
    /// The origin of the provider's authorization endpoint: the page's Content-Security-Policy must let its form go
    /// there.
    /// </summary>
    ValueTask<string> OriginAsync(CancellationToken cancellationToken);

    /// <summary>Where the browser goes.</summary>
    /// <param name="state">Comes back with the answer. Unguessable and used once.</param>
    ValueTask<Uri> StartAsync(string state, CancellationToken cancellationToken);

    /// <summary>Checks what came back and says who it is.</summary>
    /// <exception cref="SignInException">It is not good, or the person may not use this server.</exception>
    ValueTask<ExternalUser> FinishAsync(string state, IQueryCollection answer, CancellationToken cancellationToken);
}

/// <summary>A person.</summary>
/// <param name="Subject">Stands for this person for ever, whatever the name and address become.</param>
internal sealed record ExternalUser(string Subject, string? Name = null, string? Email = null);

/// <summary>Nobody was signed in. The message is shown to the person.</summary>
internal sealed class SignInException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The same for the log, with what only the operator should read.</summary>
    public string Reason
    {
        get => field ?? Message;
        init;
    }
}
