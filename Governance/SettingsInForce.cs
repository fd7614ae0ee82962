using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using MinimalMcp.Configuration;

namespace MinimalMcp.Governance;

/// <summary>
/// The settings that are set, with where each comes from. A value is shown only where it is known to be no secret:
/// what options mark, what is named like one, and what no options of this server have is hidden.
/// </summary>
internal sealed class SettingsInForce(
    IConfiguration configuration,
    KnownSettings known,
    EnvironmentRead environment,
    Redactor redactor
)
{
    private const int MaxValue = 500;

    // Settings of the framework and of OpenTelemetry that name things or say how much.
    private static readonly string[] Harmless =
    [
        "urls",
        "mode",
        "config",
        "environment",
        "OTEL_SERVICE_NAME",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_TRACES_SAMPLER",
        "OTEL_TRACES_SAMPLER_ARG",
    ];

    // Members of options whose texts are free: they may hold a credential.
    private static readonly string[] Free = ["Args", "Env", "Headers", "Documents"];

    private static readonly string[] Foreign = ["Logging", "Kestrel"];

    public IReadOnlyList<SettingInForce> All =>
        [
            .. Providers(configuration)
                .SelectMany(provider => KnownSettings.Keys(provider))
                .Where(IsListed)
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .Order(StringComparer.OrdinalIgnoreCase)
                .Select(Read)
                .Where(setting => setting is not null)
                .Select(setting => setting!),
        ];

    private SettingInForce? Read(string key)
    {
        foreach (var provider in Providers(configuration).Reverse())
        {
            if (provider.TryGet(key, out var value) && value is not null)
            {
                return new(key, Shown(key, value), Source(provider, key));
            }
        }

        return null;
    }

    // The environment has much that is not ours.
    private bool IsListed(string key)
    {
        var section = key.Split(':')[0];
        return Harmless.Contains(key, StringComparer.OrdinalIgnoreCase)
            || key.StartsWith("OTEL_", StringComparison.Ordinal)
            || (
                key.Contains(':')
                && (
                    Foreign.Contains(section, StringComparer.OrdinalIgnoreCase)
                    || known.Sections.Any(one =>
                        one.Path.Split(':')[0].Equals(section, StringComparison.OrdinalIgnoreCase)
                    )
                )
            );
    }

    private string? Shown(string key, string value)
    {
        if (value.Length == 0)
        {
            return "";
        }

        var isShown =
            Harmless.Contains(key, StringComparer.OrdinalIgnoreCase)
            || (IsLogLevel(key) && Enum.TryParse<LogLevel>(value, ignoreCase: true, out _))
            || (known.Find(key) is { } setting && IsHarmless(key, setting));
        return isShown ? WithoutCredentials(value) : null;
    }

    private static bool IsLogLevel(string key) =>
        key.StartsWith("Logging:", StringComparison.OrdinalIgnoreCase)
        && key.Contains("LogLevel:", StringComparison.OrdinalIgnoreCase);

    private static bool IsHarmless(string key, KnownSetting setting)
    {
        var type = setting.Type;
        if (setting.Properties.Any(IsMarked))
        {
            return false;
        }

        if (type == typeof(bool) || type.IsEnum || type == typeof(TimeSpan))
        {
            return true; // whatever it is called
        }

        if (key.Split(':').Any(part => Redactor.NamesSecret(part) && !IsCollection(setting, part)))
        {
            return false;
        }

        return (type.IsPrimitive && type != typeof(char))
            || type == typeof(decimal)
            || (
                type == typeof(string)
                && setting.Properties.Count > 0
                && setting.Properties.All(property =>
                    property.DeclaringType!.Assembly == typeof(SettingsInForce).Assembly
                    && !Free.Contains(property.Name, StringComparer.Ordinal)
                    // Some servers take their key only in their address.
                    && !(property.Name == "Url" && setting.Properties.Count > 1)
                    && !property.Name.EndsWith("ConnectionString", StringComparison.Ordinal)
                    && !property.Name.EndsWith("Sha256", StringComparison.Ordinal)
                    && !property.Name.EndsWith("Hash", StringComparison.Ordinal)
                )
            );
    }

    // Auth:ApiKeys:ci:Scopes is named like a secret by the section alone.
    private static bool IsCollection(KnownSetting setting, string part) =>
        part.Equals("Auth", StringComparison.OrdinalIgnoreCase)
        || setting
            .Properties.SkipLast(1)
            .Any(property => property.Name.Equals(part, StringComparison.OrdinalIgnoreCase));

    private static bool IsMarked(PropertyInfo property) =>
        property.GetCustomAttribute<DataTypeAttribute>()?.DataType is DataType.Password;

    // The user and the query of an address, and passwords in anything else.
    private string? WithoutCredentials(string value)
    {
        if (value.Contains("://", StringComparison.Ordinal))
        {
            if (value.Contains('@') || value.Contains('?') || value.Contains('#'))
            {
                return Uri.TryCreate(value, UriKind.Absolute, out var address)
                    ? address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)
                        + " (without what may be a credential)"
                    : null;
            }
        }
        else if (
            value.Contains("password", StringComparison.OrdinalIgnoreCase)
            || value.Contains("pwd", StringComparison.OrdinalIgnoreCase)
        )
        {
            return null;
        }

        var clean = redactor.Clean(value);
        return clean.Length > MaxValue ? $"{clean[..MaxValue]} … (truncated)" : clean;
    }

    private string Source(IConfigurationProvider provider, string key) =>
        provider switch
        {
            FileConfigurationProvider { Source.Path: { } path } => Path.GetFileName(path),
            EnvironmentProvider => environment.Sources.GetValueOrDefault(key) ?? "the environment",
            EnvironmentVariablesConfigurationProvider => "an environment variable",
            CommandLineConfigurationProvider => "the command line",
            _ => environment.Inferred.LastOrDefault(one => one.Setting.Equals(key, StringComparison.OrdinalIgnoreCase))
                is { } inferred
                ? $"inferred: {inferred.Why}"
                : "the program",
        };

    // The host's own settings are one source of the application's.
    private static IEnumerable<IConfigurationProvider> Providers(IConfiguration configuration) =>
        configuration is IConfigurationRoot root
            ? root.Providers.SelectMany(provider =>
                provider is ChainedConfigurationProvider chained
                    ? Providers(chained.Configuration)
                    : (IEnumerable<IConfigurationProvider>)[provider]
            )
            : [];
}

/// <summary>A setting that is set.</summary>
/// <param name="Value">Null when it is hidden.</param>
internal sealed record SettingInForce(string Name, string? Value, string Source);
