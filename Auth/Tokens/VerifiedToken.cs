using System.Text.Json;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// A token whose signature, issuer, audience and times were verified. Interpreting the other claims is up to the
/// caller.
/// </summary>
/// <param name="Type">The header <c>typ</c>, if any.</param>
internal sealed record VerifiedToken(JsonElement Payload, string Issuer, DateTimeOffset Expires, string? Type)
{
    public string? Subject => Text("sub");

    /// <summary>
    /// The client that the token was issued to: RFC 9068 uses <c>client_id</c>, OpenID Connect <c>azp</c>, Entra's
    /// version 1.0 <c>appid</c>.
    /// </summary>
    public string? ClientId => Text("azp") ?? Text("client_id") ?? Text("appid") ?? Text("cid");

    /// <summary><c>jti</c>, which detects the reuse of single-use tokens.</summary>
    public string? Id => Text("jti");

    /// <summary>The scopes of <c>scope</c> and <c>scp</c>, each a space-separated string or an array.</summary>
    public IReadOnlySet<string> Scopes => Words("scope").Concat(Words("scp")).ToHashSet(StringComparer.Ordinal);

    /// <summary>One string or several.</summary>
    public IEnumerable<string> Audiences => Texts("aud");

    public string? Text(string claim) =>
        Payload.TryGetProperty(claim, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>The strings of a claim that is a string or an array; other values are ignored.</summary>
    public IEnumerable<string> Texts(string claim) => Payload.TryGetProperty(claim, out var value) ? Texts(value) : [];

    /// <summary>The same, with a string split at spaces.</summary>
    public IEnumerable<string> Words(string claim) =>
        Payload.TryGetProperty(claim, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : Texts(claim);

    internal static IEnumerable<string> Texts(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => value
                .EnumerateArray()
                .Where(item => item.ValueKind is JsonValueKind.String)
                .Select(item => item.GetString()!),
            _ => [],
        };
}
