using System.Text.Json;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// A token whose signature, issuer, audience and times were checked. What the rest means is for whoever asked.
/// </summary>
/// <param name="Type">The header <c>typ</c>, when there is one.</param>
internal sealed record VerifiedToken(JsonElement Payload, string Issuer, DateTimeOffset Expires, string? Type)
{
    public string? Subject => Text("sub");

    /// <summary>
    /// The client that the token was given to: RFC 9068 says <c>client_id</c>, OpenID Connect <c>azp</c>, Entra's first
    /// version <c>appid</c>.
    /// </summary>
    public string? ClientId => Text("azp") ?? Text("client_id") ?? Text("appid") ?? Text("cid");

    /// <summary><c>jti</c>, with which a token that may be used once is known again.</summary>
    public string? Id => Text("jti");

    /// <summary>Of <c>scope</c> and <c>scp</c>; both come as a text with spaces and as an array.</summary>
    public IReadOnlySet<string> Scopes => Words("scope").Concat(Words("scp")).ToHashSet(StringComparer.Ordinal);

    /// <summary>One text or several.</summary>
    public IEnumerable<string> Audiences => Texts("aud");

    public string? Text(string claim) =>
        Payload.TryGetProperty(claim, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>
    /// The texts of a claim that is a text or an array; anything else in it is not a text and counts for nothing.
    /// </summary>
    public IEnumerable<string> Texts(string claim) => Payload.TryGetProperty(claim, out var value) ? Texts(value) : [];

    /// <summary>The same, with a text taken for a list of words.</summary>
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
