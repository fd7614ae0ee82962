using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Server;

/// <summary>A user who signs in with a password of this server.</summary>
internal sealed class UserOptions
{
    private const int MinLength = 12;

    [DataType(DataType.Password)]
    public string? Password { get; set; }

    /// <summary>The hash that <c>hash-password</c> prints, instead of the password.</summary>
    [DataType(DataType.Password)]
    public string? PasswordHash { get; set; }

    /// <summary>The scopes that the user may grant to a client.</summary>
    public string Scopes { get; set; } = Auth.Scopes.All;

    /// <summary>Shared with clients that are granted the scope email.</summary>
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
            yield return "PasswordHash is not the output of `dotnet "
                + $"{typeof(UserOptions).Assembly.GetName().Name}.dll hash-password`.";
        }

        foreach (var scope in Auth.Scopes.Split(Scopes).Except(Auth.Scopes.Split(Auth.Scopes.All)))
        {
            yield return $"Scopes has '{scope}'; the scopes are {Auth.Scopes.All}.";
        }
    }
}
