using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Auth.Server;

/// <summary>The keys of the authorization server, derived from the server's secret for each purpose.</summary>
internal sealed class ServerSecret
{
    private const string Prefix = "minimal authorization server: ";

    private readonly SealingKey _sealing;
    private readonly byte[] _refresh;
    private readonly byte[] _credential;

    public ServerSecret(ServerKeys keys)
    {
        _sealing = keys.Sealing(Prefix + "signing keys");
        _refresh = keys.Derive(Prefix + "refresh tokens");
        _credential = keys.Derive(Prefix + "credentials");
    }

    /// <inheritdoc cref="SealingKey.Seal"/>
    public string Seal(byte[] plain) => _sealing.Seal(plain);

    /// <summary>Decrypts a value. Returns null when it was encrypted with another secret.</summary>
    public byte[]? Open(string sealedText) => _sealing.Open(sealedText);

    /// <summary>
    /// Derives the refresh token that replaces another. It is derived and not random: a client that repeats the
    /// request, because the response was lost, gets the same one, and nothing has to be stored.
    /// </summary>
    public string SuccessorOf(string refreshToken) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(_refresh, Encoding.UTF8.GetBytes(refreshToken)));

    /// <summary>A fingerprint that detects a changed password setting and reveals nothing about it.</summary>
    public string Fingerprint(string credential) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_credential, Encoding.UTF8.GetBytes(credential)));
}
