using System.Text.Json;

namespace MinimalMcp.Auth.Tokens;

/// <summary>The usable signature keys of a JWK Set (RFC 7517). Other and malformed keys are ignored.</summary>
internal sealed class JsonWebKeySet
{
    public const int MaxBytes = 256 * 1024;

    /// <summary>Further keys are ignored.</summary>
    private const int MaxKeys = 64;

    private readonly SignatureKey[] _keys;

    private JsonWebKeySet(SignatureKey[] keys) => _keys = keys;

    public int Count => _keys.Length;

    /// <exception cref="FormatException">Not a key set. The message quotes nothing of it.</exception>
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
    /// Finds the key of a token. Without <c>kid</c> it must be the only key for the algorithm: trying several would
    /// give a forger several attempts.
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
