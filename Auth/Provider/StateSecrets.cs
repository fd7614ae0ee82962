using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// The PKCE verifier and the nonce of a sign-in. They are derived from its state with a key, so that nothing has to be
/// stored and another replica can finish the sign-in. The key comes from the secret that all replicas share; without
/// one, from this process.
/// </summary>
internal sealed class StateSecrets(string? secret)
{
    private readonly byte[] _key = secret is { Length: > 0 }
        ? HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(secret),
            32,
            info: "sign-in at the identity provider"u8.ToArray()
        )
        : RandomNumberGenerator.GetBytes(32);

    /// <summary>RFC 7636 section 4.1.</summary>
    public string Verifier(string state) => Of("code_verifier", state);

    /// <summary>Always S256.</summary>
    public string Challenge(string state) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier(state))));

    /// <summary>Returned in the ID token, which ties it to this sign-in.</summary>
    public string Nonce(string state) => Of("nonce", state);

    private string Of(string what, string state) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{what} {state}")));
}
