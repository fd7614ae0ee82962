using System.Text.Json;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// The keys of a JWK Set (RFC 7517) that signatures can be checked with; the others, and the broken ones, are left out.
/// </summary>
internal sealed class JsonWebKeySet
{
    public const int MaxBytes = 256 * 1024;

    /// <summary>Further ones are not read.</summary>
    private const int MaxKeys = 64;

    private readonly SignatureKey[] _keys;

    private JsonWebKeySet(SignatureKey[] keys) => _keys = keys;

    public int Count => _keys.Length;

    /// <exception cref="FormatException">It is no key set. The message is a sentence and quotes nothing.</exception>
    public static JsonWebKeySet Parse(ReadOnlyMemory<byte> utf8)
    {
        if (utf8.Length > MaxBytes)
        {
            throw new FormatException($"The key set is larger than {MaxBytes} bytes.");
        }

        try
        {
            return Parse(StrictJson.ParseObject(utf8.Span));
        }
        catch (FormatException wrong) when (!wrong.Message.EndsWith('.'))
        {
            throw new FormatException($"The key set {wrong.Message}.");
        }
    }

    /// <inheritdoc cref="Parse(ReadOnlyMemory{byte})"/>
    public static JsonWebKeySet Parse(JsonElement set) =>
        set.ValueKind is JsonValueKind.Object
        && set.TryGetProperty("keys", out var keys)
        && keys.ValueKind is JsonValueKind.Array
            ? new([.. keys.EnumerateArray().Take(MaxKeys).Select(SignatureKey.Read).OfType<SignatureKey>()])
            : throw new FormatException("The key set has no array 'keys'.");

    /// <summary>
    /// The key for a token. Without <c>kid</c> it is the only one that serves the algorithm: to try several would give
    /// a forger several tries.
    /// </summary>
    public SignatureKey? Find(string? kid, string algorithm)
    {
        var serving = _keys.Where(key => key.Serves(algorithm));
        if (kid is not null)
        {
            return serving.FirstOrDefault(key => key.Id == kid);
        }

        var two = serving.Take(2).ToArray();
        return two is [var only] ? only : null;
    }
}
