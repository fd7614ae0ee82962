using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MinimalMcp.Auth;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Confirmation tokens: the user has seen what a call does. A token is for one caller, one tool and the given
/// arguments, works once, and expires. The store holds only hashes.
/// </summary>
internal sealed class Confirmations(Store store, TimeProvider time)
{
    internal static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    public ValueTask<(string Token, DateTimeOffset Expires)> OpenAsync(
        string tool,
        ToolCall call,
        string arguments,
        CancellationToken cancellationToken
    ) => OpenAsync(Binding(tool, call, arguments), cancellationToken);

    /// <summary>For a call that the same caller is going to make, with exactly these arguments.</summary>
    public ValueTask<(string Token, DateTimeOffset Expires)> OpenAsync(
        string tool,
        ClaimsPrincipal? user,
        IEnumerable<KeyValuePair<string, JsonElement>> arguments,
        CancellationToken cancellationToken
    )
    {
        var caller = Caller.From(user);
        var binding = Binding(caller.Subject, caller.Client, tool, JsonRewriter.Of(arguments, sorted: true));
        return OpenAsync(binding, cancellationToken);
    }

    private async ValueTask<(string Token, DateTimeOffset Expires)> OpenAsync(
        string binding,
        CancellationToken cancellationToken
    )
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var now = time.GetUtcNow();
        await store.OpenConfirmationAsync(
            Hash(token),
            binding,
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
                $"{tool} was not called: the confirmation_token was already used, is older than "
                    + $"{Lifetime.TotalMinutes:0} minutes, or belongs to another call. Call {tool} without it to "
                    + "see what it would do and to get a new token."
            );
        }
    }

    internal static string Binding(string tool, ToolCall call, string arguments) =>
        Binding(call.Caller.Subject, call.Caller.Client, tool, arguments);

    internal static string Binding(string subject, string? client, string tool, string arguments) =>
        Hash($"{subject}\n{client}\n{tool}\n{arguments}");

    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
