using MinimalMcp.Auth;
using MinimalMcp.Governance;

namespace MinimalMcp.Monitoring;

/// <summary>Notes sign-ins and refused credentials in the audit log.</summary>
internal sealed class SignInEvents(AuthAttempts attempts, EventLog events) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        attempts.Noticed += Note;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        attempts.Noticed -= Note;
        return Task.CompletedTask;
    }

    private void Note(AuthAttempt attempt) =>
        events.Add(
            EventLog.SignIn,
            attempt.Outcome == AuthAttempts.Ok ? "ok" : $"refused: {attempt.Outcome}",
            [("name", attempt.Name == attempt.Subject ? null : attempt.Name)],
            attempt.Subject is { } subject ? (subject, attempt.Client) : null,
            attempt.Address?.ToString()
        );
}
