using System.Security.Claims;
using System.Text.Json;
using MinimalMcp.Governance;

namespace MinimalMcp.Tools;

/// <summary>
/// For a family with a tool that previews what another one does: gives the token that confirms the other one's call.
/// That call is confirmed, counted and recorded as every other one.
/// </summary>
internal sealed class ConfirmationDoor(Confirmations confirmations)
{
    /// <param name="user">Who is shown the preview: only this caller can use the token.</param>
    /// <param name="tool">The tool that the token is for.</param>
    /// <param name="arguments">What that tool has to be called with.</param>
    public async ValueTask<(string Token, DateTimeOffset Expires, TimeSpan Lifetime)> OpenAsync(
        ClaimsPrincipal? user,
        string tool,
        IReadOnlyDictionary<string, object> arguments,
        CancellationToken cancellationToken
    )
    {
        var json = arguments.Select(argument =>
            KeyValuePair.Create(argument.Key, JsonSerializer.SerializeToElement(argument.Value))
        );
        var (token, expires) = await confirmations.OpenAsync(tool, user, json, cancellationToken);
        return (token, expires, Confirmations.Lifetime);
    }
}
