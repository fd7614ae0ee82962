using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Governance;

/// <summary>
/// Detects settings that nothing reads. In sections that protect the server a misspelt name is an error, because the
/// protection would silently be disabled; in our other sections it is a warning. Foreign sections are ignored.
/// </summary>
internal sealed partial class UnknownSettings(
    IConfiguration configuration,
    KnownSettings known,
    ILogger<UnknownSettings> logger
) : IValidateOptions<GovernanceOptions>
{
    // Environment variables may belong to other programs, Server__Something among them.
    private static readonly string[] Protecting = ["Auth", "Governance", "Hub", "Server"];
    private static readonly string[] ProtectingInEnvironment = ["Auth", "Governance", "Hub"];

    public ValidateOptionsResult Validate(string? name, GovernanceOptions options)
    {
        var errors = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        var warnings = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var provider in (configuration as IConfigurationRoot)?.Providers ?? [])
        {
            var isEnvironment = provider is EnvironmentProvider or EnvironmentVariablesConfigurationProvider;
            var protecting = isEnvironment ? ProtectingInEnvironment : Protecting;
            foreach (
                var key in KnownSettings
                    .Keys(provider)
                    .Where(key =>
                        !IsKnown(isEnvironment && SecretFiles.IsFile(key) ? key[..^SecretFiles.Suffix.Length] : key)
                    )
            )
            {
                var section = key.Split(':')[0];
                var isProtecting = protecting.Contains(section, StringComparer.OrdinalIgnoreCase);
                if (isProtecting || IsNear(section, protecting))
                {
                    errors.Add(Sentence(key));
                }
                else if (known.Sections.Any(one => one.Path.Equals(section, StringComparison.OrdinalIgnoreCase)))
                {
                    warnings.Add(Sentence(key));
                }
            }
        }

        foreach (var warning in warnings)
        {
            LogUnknown(logger, warning);
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    // A separate section is accepted as a whole.
    private bool IsKnown(string key)
    {
        var owners = known.Owners(key).ToArray();
        var isOurs = Protecting.Contains(key.Split(':')[0], StringComparer.OrdinalIgnoreCase);
        return EnvironmentNames.Table.Any(row => row.Setting.Equals(key, StringComparison.OrdinalIgnoreCase))
            || (owners.Length == 0 ? !isOurs && !IsNear(key.Split(':')[0], Protecting) : known.Find(key) is not null);
    }

    private static bool IsNear(string section, string[] names) =>
        names.Any(name =>
            !name.Equals(section, StringComparison.OrdinalIgnoreCase)
            && Math.Abs(name.Length - section.Length) <= 2
            && section.Length > 3
            && NameSuggestions.Distance(section, name) <= (name.Length > 6 ? 2 : 1)
        );

    private string Sentence(string key)
    {
        var parent = key.Contains(':') ? key[..key.LastIndexOf(':')] : "";
        var siblings = known
            .Owners(key)
            .Select(owner => KnownSettings.Members(owner.Options, owner.Rest(parent)))
            .SelectMany(names => names)
            .Select(name => $"{parent}:{name}")
            .DefaultIfEmpty(string.Join(", ", Protecting));
        return NameSuggestions.Nearest(key, siblings, 1) is [var near] && near.Contains(':')
            ? $"{key} is not a setting. Did you mean {near}?"
            : $"{key} is not a setting of this server. See docs/reference/settings.md for all settings.";
    }

    [LoggerMessage(LogLevel.Warning, "{Problem}")]
    private static partial void LogUnknown(ILogger logger, string problem);
}
