using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// The server's secret, and the keys that are derived from it for each purpose (HKDF, RFC 5869). It is configured, or
/// created once in a file beside the SQLite database that only this user can read. It is never in the store: a copy of
/// the store would then reveal it.
/// </summary>
internal sealed class ServerSecret
{
    private readonly byte[] _secret;
    private readonly byte[] _sealing;
    private readonly byte[] _refresh;
    private readonly byte[] _credential;

    public ServerSecret(
        IOptions<AuthorizationServerOptions> options,
        IOptions<StorageOptions> storage,
        IHostEnvironment environment
    )
    {
        _secret =
            options.Value.SecretKey is { Length: > 0 } set ? Encoding.UTF8.GetBytes(set)
            : storage.Value.ConnectionString is { Length: > 0 }
                ? throw new StartupException(
                    "Auth:Server:SecretKey (SECRET_KEY) is missing. With PostgreSQL it must be set, to the same "
                        + "value on every replica: the output of `openssl rand -hex 32`."
                )
            : Kept(storage.Value.FullPath(environment) + ".key");
        (_sealing, _refresh, _credential) = (Derive("signing keys"), Derive("refresh tokens"), Derive("credentials"));
    }

    /// <summary>Encrypts a value for the store (AES-256-GCM).</summary>
    public string Seal(byte[] plain)
    {
        var result = new byte[12 + plain.Length + 16];
        RandomNumberGenerator.Fill(result.AsSpan(0, 12));
        using var aes = new AesGcm(_sealing, 16);
        aes.Encrypt(result.AsSpan(0, 12), plain, result.AsSpan(12, plain.Length), result.AsSpan(12 + plain.Length));
        return Base64Url.EncodeToString(result);
    }

    /// <summary>Decrypts a value. Returns null when it was encrypted with another secret.</summary>
    public byte[]? Open(string sealedText)
    {
        try
        {
            var bytes = Base64Url.DecodeFromChars(sealedText);
            var plain = new byte[bytes.Length - 28];
            using var aes = new AesGcm(_sealing, 16);
            aes.Decrypt(bytes.AsSpan(0, 12), bytes.AsSpan(12, plain.Length), bytes.AsSpan(12 + plain.Length), plain);
            return plain;
        }
        catch (Exception foreign) when (foreign is CryptographicException or FormatException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>
    /// Derives the refresh token that replaces another. It is derived and not random: a client that repeats the
    /// request, because the response was lost, gets the same one, and nothing has to be stored.
    /// </summary>
    public string SuccessorOf(string refreshToken) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(_refresh, Encoding.UTF8.GetBytes(refreshToken)));

    /// <summary>A fingerprint that detects a changed password setting and reveals nothing about it.</summary>
    public string Fingerprint(string credential) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_credential, Encoding.UTF8.GetBytes(credential)));

    private byte[] Derive(string purpose) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            _secret,
            32,
            info: Encoding.UTF8.GetBytes("minimal authorization server: " + purpose)
        );

    private static byte[] Kept(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
                if (!OperatingSystem.IsWindows())
                {
                    create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                }

                // Written under a temporary name first: a half-written key must never be read.
                var fresh = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
                using (var file = new FileStream(fresh, create))
                {
                    file.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))));
                    file.Flush(flushToDisk: true);
                }

                File.Move(fresh, path, overwrite: false);
            }

            var text = File.ReadAllText(path).Trim();
            return WeakSecret.Problem(text) is { } weak
                ? throw new StartupException($"The file {path} {weak}")
                : Encoding.UTF8.GetBytes(text);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The secret of the authorization server cannot be stored in {path} ({failure.Message}). Set "
                    + "SECRET_KEY to the output of `openssl rand -hex 32`, or Storage:Path to a folder that this "
                    + "user may write to.",
                failure
            );
        }
    }
}
