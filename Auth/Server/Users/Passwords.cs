using Microsoft.AspNetCore.Identity;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Hashes and verifies passwords as ASP.NET Core Identity does (PBKDF2, HMAC-SHA512, 100,000 iterations).
/// </summary>
internal static class Passwords
{
    private static readonly PasswordHasher<string> Hasher = new();

    // Verified for unknown names, so that they take as long as known ones.
    private static readonly Lazy<string> Nobody = new(() => Hash(ReferenceTokens.New()));

    public static string Hash(string password) => Hasher.HashPassword("", password);

    public static bool IsHash(string text)
    {
        try
        {
            return Convert.FromBase64String(text) is [1, _, ..] bytes && bytes.Length >= 61;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public static bool Verify(UserOptions? user, string password)
    {
        var hash = user?.PasswordHash is { Length: > 0 } known ? known : Nobody.Value;
        var isHashed = Hasher.VerifyHashedPassword("", hash, password) is not PasswordVerificationResult.Failed;
        return user is not null
            && (
                user.Password is { Length: > 0 } plain
                    ? ReferenceTokens.Same(ReferenceTokens.Hash(plain), ReferenceTokens.Hash(password))
                    : isHashed
            );
    }

    /// <summary><c>hash-password</c>: reads a password and prints its hash for the settings.</summary>
    public static int Print(TextReader input, TextWriter output)
    {
        if (input.ReadLine() is not { Length: > 0 } password)
        {
            Console.Error.WriteLine("Write the password to standard input as one line.");
            return 1;
        }

        output.WriteLine(Hash(password));
        return 0;
    }
}
