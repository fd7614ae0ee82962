using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Auth.Server;

/// <summary>Opaque codes, tokens and secrets: 256 random bits, of which only the SHA-256 is stored.</summary>
internal static class ReferenceTokens
{
    /// <summary>The length of each, in characters.</summary>
    public const int Length = 43;

    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static string Hash(string value) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)));

    public static bool IsWellFormed(string? value) => value is { Length: Length } && Base64Url.IsValid(value);

    public static bool Same(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));
}
