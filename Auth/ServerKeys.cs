using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>
/// The server's secret, from which a key is derived for each purpose (HKDF, RFC 5869). It is configured, or created
/// once in a file beside the SQLite database that only this user can read. It is never in the store: a copy of the
/// store would then reveal it. Read on first use, so that a server that keeps no secrets needs none.
/// </summary>
internal sealed class ServerKeys
{
    private readonly Lazy<byte[]> _secret;
    private readonly byte[]? _previous;

    public ServerKeys(IConfiguration configuration, IOptions<StorageOptions> storage, IHostEnvironment environment)
    {
        _secret = new(
            () =>
                configuration["Auth:Server:SecretKey"] is { Length: > 0 } set
                    ? WeakSecret.Problem(set) is { } weak
                        ? throw new StartupException($"Auth:Server:SecretKey (SECRET_KEY) {weak}")
                        : Encoding.UTF8.GetBytes(set)
                    : storage.Value.ConnectionString is { Length: > 0 }
                        ? throw new StartupException(
                            "Auth:Server:SecretKey (SECRET_KEY) is missing. With PostgreSQL it must be set, to the "
                                + "same value on every replica: the output of `openssl rand -hex 32`."
                        )
                        : Kept(storage.Value.FullPath(environment) + ".key"),
            LazyThreadSafetyMode.PublicationOnly
        );
        _previous = configuration["Auth:Server:PreviousSecretKey"] is { Length: > 0 } previous
            ? Encoding.UTF8.GetBytes(previous)
            : null;
    }

    public byte[] Derive(string purpose) => Derive(_secret.Value, purpose);

    /// <summary>Encryption for one purpose. Values of the previous secret can still be decrypted.</summary>
    public SealingKey Sealing(string purpose) =>
        new(Derive(purpose), _previous is null ? null : Derive(_previous, purpose));

    private static byte[] Derive(byte[] secret, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, info: Encoding.UTF8.GetBytes(purpose));

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

/// <summary>Encrypts values for the store (AES-256-GCM).</summary>
internal sealed class SealingKey(byte[] key, byte[]? previous)
{
    private const int NonceSize = 12,
        TagSize = 16;

    /// <param name="context">Where the value stands; it can be decrypted only for the same place.</param>
    public string Seal(byte[] plain, string context = "")
    {
        var result = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceSize));
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(
            result.AsSpan(0, NonceSize),
            plain,
            result.AsSpan(NonceSize, plain.Length),
            result.AsSpan(NonceSize + plain.Length),
            Encoding.UTF8.GetBytes(context)
        );
        return Base64Url.EncodeToString(result);
    }

    /// <summary>
    /// Decrypts a value. Returns null when it was encrypted with another secret, or for another place.
    /// </summary>
    public byte[]? Open(string sealedText, string context = "") =>
        Open(key, sealedText, context) ?? (previous is null ? null : Open(previous, sealedText, context));

    private static byte[]? Open(byte[] key, string sealedText, string context)
    {
        try
        {
            var bytes = Base64Url.DecodeFromChars(sealedText);
            var plain = new byte[bytes.Length - NonceSize - TagSize];
            using var aes = new AesGcm(key, TagSize);
            aes.Decrypt(
                bytes.AsSpan(0, NonceSize),
                bytes.AsSpan(NonceSize, plain.Length),
                bytes.AsSpan(NonceSize + plain.Length),
                plain,
                Encoding.UTF8.GetBytes(context)
            );
            return plain;
        }
        catch (Exception foreign) when (foreign is CryptographicException or FormatException or OverflowException)
        {
            return null;
        }
    }
}
