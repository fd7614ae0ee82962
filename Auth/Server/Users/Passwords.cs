using Microsoft.AspNetCore.Identity;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Passwords of people, hashed as ASP.NET Core Identity does it (PBKDF2, HMAC-SHA512, 100,000 rounds).
/// </summary>
internal static class Passwords
{
    private static readonly PasswordHasher<string> Hasher = new();

    // For a name that nobody has: it must take as long as one that somebody has.
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

    /// <summary><c>hash-password</c>: reads a password and prints what goes into the settings.</summary>
    public static int Print(TextReader input, TextWriter output)
    {
        if (input.ReadLine() is not { Length: > 0 } password)
        {
            Console.Error.WriteLine("Write the password as one line to the standard input.");
            return 1;
        }

        output.WriteLine(Hash(password));
        return 0;
    }
}
