using System.Security.Cryptography;
using System.Text;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Tokens that say: the user has seen what this call does. Each is for one caller, one tool and these arguments, works once, and not for long. The store
/// holds hashes only.
/// </summary>
public sealed class Confirmations(Store store, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    public async ValueTask<(string Token, DateTimeOffset Expires)> OpenAsync(
        string tool,
        ToolCall call,
        string arguments,
        CancellationToken cancellationToken
    )
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var now = time.GetUtcNow();
        await store.OpenConfirmationAsync(
            Hash(token),
            Binding(tool, call, arguments),
            now.ToUnixTimeMilliseconds(),
            (now + Lifetime).ToUnixTimeMilliseconds(),
            cancellationToken
        );
        return (token, now + Lifetime);
    }

    public async ValueTask RedeemAsync(
        string token,
        string tool,
        ToolCall call,
        string arguments,
        CancellationToken cancellationToken
    )
    {
        if (
            !await store.RedeemConfirmationAsync(
                Hash(token),
                Binding(tool, call, arguments),
                time.GetUtcNow().ToUnixTimeMilliseconds(),
                cancellationToken
            )
        )
        {
            throw new ToolRefusedException(
                Refusal.Confirmation,
                $"{tool} was not called: this confirmation_token was used already, is older than {Lifetime.TotalMinutes:0} minutes, or was given for another call. Call {tool} without it to see what it would do and get a new one."
            );
        }
    }

    internal static string Binding(string tool, ToolCall call, string arguments) =>
        Binding(call.Caller.Subject, call.Caller.Client, tool, arguments);

    internal static string Binding(string subject, string? client, string tool, string arguments) =>
        Hash($"{subject}\n{client}\n{tool}\n{arguments}");

    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
