using System.Diagnostics.Metrics;
using System.Net;

namespace MinimalMcp.Auth;

/// <summary>
/// Counts credentials that were accepted and refused, wherever they are sent: with a request, on the sign-in page, to
/// the token endpoint. Those who want to know of a sign-in or of a refusal listen to <see cref="Noticed"/>.
/// </summary>
internal sealed class AuthAttempts
{
    public const string Ok = "ok",
        WrongKey = "wrong_key",
        ExpiredKey = "expired_key",
        WrongPassword = "wrong_password",
        InvalidToken = "invalid_token",
        Malformed = "malformed",
        Forbidden = "forbidden",
        RateLimited = "rate_limited",
        Unavailable = "unavailable",
        ProviderRefused = "provider_refused",
        InvalidClient = "invalid_client",
        InvalidGrant = "invalid_grant",
        InvalidRequest = "invalid_request";

    private static readonly string[] Outcomes =
    [
        Ok,
        WrongKey,
        ExpiredKey,
        WrongPassword,
        InvalidToken,
        Malformed,
        Forbidden,
        RateLimited,
        Unavailable,
        ProviderRefused,
        InvalidClient,
        InvalidGrant,
        InvalidRequest,
    ];

    private readonly long[] _counts = new long[Outcomes.Length];

    public AuthAttempts(IMeterFactory meters) =>
        meters
            .Create("MinimalMcp.Auth")
            .CreateObservableCounter(
                "mcp_auth_attempts_total",
                () =>
                    Read()
                        .Select(attempt => new Measurement<long>(
                            attempt.Count,
                            new KeyValuePair<string, object?>("outcome", attempt.Outcome)
                        )),
                null,
                "Credentials that were accepted (ok) and refused, by outcome."
            );

    /// <summary>Called for each sign-in of a person and each refusal. Listeners must not wait.</summary>
    public event Action<AuthAttempt>? Noticed;

    /// <summary>The credential of a request was accepted. On the path of every call.</summary>
    public void Accept() => Interlocked.Increment(ref _counts[0]);

    /// <summary>A person has signed in.</summary>
    public void SignIn(string subject, string? client, string? name, IPAddress? address)
    {
        Accept();
        Noticed?.Invoke(new(Ok, subject, client, name, address));
    }

    /// <param name="outcome">One of the constants.</param>
    /// <param name="client">The OAuth client, where it is known.</param>
    public void Refuse(string outcome, IPAddress? address, string? subject = null, string? client = null)
    {
        Interlocked.Increment(ref _counts[Math.Max(1, Array.IndexOf(Outcomes, outcome))]);
        Noticed?.Invoke(new(outcome, subject, client, null, address));
    }

    /// <summary>What was counted since the start; each outcome, also those that never were.</summary>
    public IEnumerable<(string Outcome, long Count)> Read() =>
        Outcomes.Select((outcome, index) => (outcome, Volatile.Read(ref _counts[index])));
}

/// <summary>A sign-in, or a credential that was refused.</summary>
/// <param name="Outcome">One of the constants of <see cref="AuthAttempts"/>.</param>
/// <param name="Name">The person's name, when it is more readable than the subject.</param>
internal sealed record AuthAttempt(string Outcome, string? Subject, string? Client, string? Name, IPAddress? Address);
