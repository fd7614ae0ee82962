using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Server;

/// <summary>A person who signs in with a password of this server.</summary>
public sealed class UserOptions
{
    private const int MinLength = 12;

    [DataType(DataType.Password)]
    public string? Password { get; set; }

    /// <summary>Instead of the password: what <c>hash-password</c> prints.</summary>
    [DataType(DataType.Password)]
    public string? PasswordHash { get; set; }

    /// <summary>What the person may allow a client at most.</summary>
    public string Scopes { get; set; } = Auth.Scopes.All;

    /// <summary>Told to clients that the person lets know it.</summary>
    public string? Email { get; set; }

    internal IEnumerable<string> Problems()
    {
        if (string.IsNullOrEmpty(Password) == string.IsNullOrEmpty(PasswordHash))
        {
            yield return "Password and PasswordHash: set one of the two.";
        }

        if (Password is { Length: > 0 and < MinLength })
        {
            yield return $"Password has {Password.Length} characters; it needs at least {MinLength}.";
        }

        if (PasswordHash is { Length: > 0 } && !Passwords.IsHash(PasswordHash))
        {
            yield return $"PasswordHash is not what `dotnet {typeof(UserOptions).Assembly.GetName().Name}.dll hash-password` prints.";
        }

        foreach (var scope in Auth.Scopes.Split(Scopes).Except(Auth.Scopes.Split(Auth.Scopes.All)))
        {
            yield return $"Scopes has '{scope}'; the scopes are {Auth.Scopes.All}.";
        }
    }
}
