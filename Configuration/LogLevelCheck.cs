using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>
/// Detects invalid log levels. The framework's factory would throw before any error can be shown, so the level is
/// replaced, and reported with the other invalid settings.
/// </summary>
internal sealed class LogLevelCheck(string[] problems) : IValidateOptions<ServerOptions>
{
    public static LogLevelCheck Of(ConfigurationManager configuration)
    {
        var wrong = configuration
            .GetSection("Logging")
            .AsEnumerable()
            .Where(setting =>
                setting.Key.Contains(":LogLevel:", StringComparison.OrdinalIgnoreCase)
                && setting.Value is not null
                && !Enum.TryParse<LogLevel>(setting.Value, ignoreCase: true, out _)
            )
            .ToArray();
        foreach (var (key, _) in wrong)
        {
            configuration[key] = nameof(LogLevel.Information);
        }

        return new([
            .. wrong.Select(level =>
                $"{level.Key}{EnvironmentNames.Of(level.Key)} is '{level.Value}'; "
                + "it must be TRACE, DEBUG, INFORMATION, WARNING, ERROR, CRITICAL or NONE."
            ),
        ]);
    }

    public ValidateOptionsResult Validate(string? name, ServerOptions options) =>
        problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
}
