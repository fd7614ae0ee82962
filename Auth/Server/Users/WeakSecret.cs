namespace MinimalMcp.Auth.Server;

/// <summary>Detects secrets that are published placeholders or too short.</summary>
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
            ? "is a published placeholder; use the output of `openssl rand -hex 32`."
            : Guessable(secret);

    /// <summary>Rejects secrets that can be guessed. Applies to API keys as well.</summary>
    public static string? Guessable(string secret) =>
        secret switch
        {
            { Length: < MinLength } =>
                $"has {secret.Length} characters; it needs at least {MinLength}, for example the output of `openssl "
                    + "rand -hex 32`.",
            _ when secret.Distinct().Count() < 10 =>
                "is too regular to be random; use the output of `openssl rand -hex 32`.",
            _ => null,
        };
}
