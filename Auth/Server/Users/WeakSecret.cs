namespace MinimalMcp.Auth.Server;

/// <summary>Secrets that guides print are known to everybody, and short ones are guessed.</summary>
internal static class WeakSecret
{
    public const int MinLength = 32;

    private static readonly string[] Placeholders =
    [
        "your-",
        "your_",
        "yoursecret",
        "changeme",
        "change-me",
        "change_me",
        "change-this",
        "placeholder",
        "example-secret",
        "secret-key",
        "secretkey",
        "replace-",
    ];

    public static string? Problem(string secret) =>
        Placeholders.Any(word => secret.Contains(word, StringComparison.OrdinalIgnoreCase))
            ? "is the placeholder of a guide, which everybody knows; use what `openssl rand -hex 32` prints."
            : Guessable(secret);

    /// <summary>
    /// What a person writes by mistake or copies from a guide is guessed first. Keys of callers go by this as well.
    /// </summary>
    public static string? Guessable(string secret) =>
        secret switch
        {
            { Length: < MinLength } =>
                $"has {secret.Length} characters; it needs at least {MinLength}, for example what `openssl rand -hex "
                    + "32` prints.",
            _ when secret.Distinct().Count() < 10 =>
                "is too regular to be random; use what `openssl rand -hex 32` prints.",
            _ => null,
        };
}
