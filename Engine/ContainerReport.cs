using System.ComponentModel;
using System.Text.RegularExpressions;

namespace MinimalMcp.Engine;

/// <summary>A container in detail, without what nobody asks for and without secrets.</summary>
public sealed partial record ContainerReport(
    string Id, string Name, string Image, string? Created, ContainerState State, string? Health,
    [property: Description("What its last health check printed.")] string? LastHealthOutput,
    int RestartCount, string? RestartPolicy, IReadOnlyList<string> Command, string? User, bool Tty, bool Privileged,
    [property: Description("Environment variables. Values are left out unless the operator shows them.")] IReadOnlyList<string> Environment,
    IReadOnlyList<string> Ports, IReadOnlyList<string> Networks,
    [property: Description("From and to, for example \"/srv/data -> /data (ro)\".")] IReadOnlyList<string> Mounts,
    IReadOnlyDictionary<string, string> Labels)
{
    private const string Hidden = "[REDACTED]";
    private const int MaxOutput = 500;

    /// <param name="container">As the engine describes it.</param>
    /// <param name="showEnvironment">With the values of its environment, which usually hold passwords.</param>
    public static ContainerReport Of(ContainerDetails container, bool showEnvironment)
    {
        var (config, settings) = (container.Config, container.NetworkSettings);
        return new(
            ContainerView.ShortId(container.Id),
            container.Name?.TrimStart('/') ?? "",
            config?.Image ?? container.Image ?? "",
            container.Created,
            (container.State ?? new(null, false, false, 0, null, null, null, null)) with { Health = null },
            container.State?.Health?.Status,
            container.State?.Health?.Log is [.., { Output.Length: > 0 } last] ? EngineException.OneLine(last.Output, MaxOutput) : null,
            container.RestartCount,
            container.HostConfig?.RestartPolicy?.Name,
            [.. (config?.Entrypoint ?? []).Concat(config?.Cmd ?? []).Select(WithoutSecrets)],
            config?.User is { Length: > 0 } user ? user : null,
            config?.Tty is true,
            container.HostConfig?.Privileged is true,
            [.. (config?.Env ?? []).Select(variable => showEnvironment ? variable : $"{variable.Split('=')[0]}={Hidden}")],
            PortsOf(container),
            [.. (settings?.Networks ?? new Dictionary<string, EndpointSettings>()).Select(network => network.Value?.IPAddress is { Length: > 0 } address ? $"{network.Key} ({address})" : network.Key)],
            [.. (container.Mounts ?? []).Select(mount => $"{(mount.Type == "volume" ? mount.Name : mount.Source)} -> {mount.Destination}{(mount.RW ? "" : " (ro)")}")],
            (config?.Labels ?? new Dictionary<string, string>()).ToDictionary(label => label.Key, label => SecretName().IsMatch(label.Key) ? Hidden : label.Value));
    }

    public static IReadOnlyList<string> PortsOf(ContainerDetails container) => [.. (container.NetworkSettings?.Ports ?? new Dictionary<string, IReadOnlyList<PortBinding>?>())
        .SelectMany(port => port.Value is { Count: > 0 } bindings ? bindings.Select(binding => $"{binding.HostIp}:{binding.HostPort}->{port.Key}") : [port.Key])];

    [GeneratedRegex("pass|secret|token|credential|api[-_.]?key|private[-_.]?key|auth", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    /// <summary>What looks like a secret in a command line or a Compose file is taken out.</summary>
    public static string WithoutSecrets(string text) => SecretArgument().Replace(text, "$1" + Hidden);

    // --password=hunter2, TOKEN=abc within a shell's line, DB_PASSWORD: "abc", and the password of an address.
    [GeneratedRegex(@"((?:pass(?:word|wd)?|secret|token|credentials?|(?:api|private|access)[-_.]?key)[\w.-]{0,40}[""']?[=:][ \t]*[""']?|://[^/\s:@]{0,200}:(?=[^/\s@]{1,200}@))[^\s""'@]+", RegexOptions.IgnoreCase)]
    private static partial Regex SecretArgument();
}
