using System.ComponentModel;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;

namespace MinimalMcp.Engine;

/// <summary>A container in detail, without secrets.</summary>
internal sealed partial record ContainerDetails(
    string Id,
    string Name,
    string Image,
    string? Created,
    ContainerState State,
    string? Health,
    [property: Description("Output of the last health check.")] string? LastHealthOutput,
    int RestartCount,
    string? RestartPolicy,
    IReadOnlyList<string> Command,
    string? User,
    bool Tty,
    bool Privileged,
    [property: Description("Environment variables as NAME=value. Values are redacted unless the operator shows them.")]
        IReadOnlyList<string> Environment,
    IReadOnlyList<string> Ports,
    IReadOnlyList<string> Networks,
    [property: Description("Source and target, for example \"/srv/data -> /data (ro)\".")] IReadOnlyList<string> Mounts,
    IReadOnlyDictionary<string, string> Labels
)
{
    private const int MaxOutput = 500;

    /// <param name="container">The answer of Docker.</param>
    /// <param name="showEnvironment">Whether to show the values of variables, which often are passwords.</param>
    public static ContainerDetails Of(ContainerInspectResponse container, bool showEnvironment)
    {
        var (config, state) = (container.Config, container.State);
        return new(
            ContainerSummary.ShortId(container.ID),
            container.Name?.TrimStart('/') ?? "",
            Known(config?.Image) ?? container.Image ?? "",
            container.Created.Year > 1 ? container.Created.ToString("O") : null,
            ContainerState.Of(state),
            Known(state?.Health?.Status),
            state?.Health?.Log is [.., { Output.Length: > 0 } last]
                ? EngineException.OneLine(SecretRedactor.Redact(last.Output), MaxOutput)
                : null,
            (int)container.RestartCount,
            PolicyOf(container.HostConfig),
            [.. SecretRedactor.Redact((config?.Entrypoint ?? []).Concat(config?.Cmd ?? []).OfType<string>())],
            Known(config?.User),
            config?.Tty is true,
            container.HostConfig?.Privileged is true,
            [
                .. (config?.Env ?? [])
                    .OfType<string>()
                    .Select(one => showEnvironment ? one : $"{one.Split('=')[0]}={SecretRedactor.Redacted}"),
            ],
            PortsOf(container),
            [.. container.NetworkSettings?.Networks?.Select(NetworkText) ?? []],
            [.. (container.Mounts ?? []).OfType<MountPoint>().Select(MountText)],
            (config?.Labels ?? new Dictionary<string, string>()).ToDictionary(
                label => label.Key,
                label =>
                    SecretName().IsMatch(label.Key) ? SecretRedactor.Redacted : SecretRedactor.Redact(label.Value ?? "")
            )
        );
    }

    public static IReadOnlyList<string> PortsOf(ContainerInspectResponse container) =>
        [
            .. (container.NetworkSettings?.Ports ?? new Dictionary<string, IList<PortBinding>>()).SelectMany(port =>
                port.Value is { Count: > 0 } bindings
                    ? bindings
                        .OfType<PortBinding>()
                        .Select(binding => $"{binding.HostIP}:{binding.HostPort}->{port.Key}")
                    : [port.Key]
            ),
        ];

    private static string? Known(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string? PolicyOf(HostConfig? host) =>
        host?.RestartPolicy?.Name switch
        {
            RestartPolicyKind.No => "no",
            RestartPolicyKind.Always => "always",
            RestartPolicyKind.OnFailure => "on-failure",
            RestartPolicyKind.UnlessStopped => "unless-stopped",
            _ => null,
        };

    private static string NetworkText(KeyValuePair<string, EndpointSettings> network) =>
        Known(network.Value?.IPAddress) is { } address ? $"{network.Key} ({address})" : network.Key;

    private static string MountText(MountPoint mount) =>
        $"{(mount.Type == "volume" ? mount.Name : mount.Source)} -> {mount.Destination}{(mount.RW ? "" : " (ro)")}";

    [GeneratedRegex(
        "pass|pwd|secret|token|credential|auth|jwt"
            + "|(?:api|private|access|signing|encryption|client|ssh|license)[-_.]?key",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex SecretName();
}

internal sealed record ContainerState(
    string? Status,
    bool Running,
    bool OOMKilled,
    int ExitCode,
    string? Error,
    string? StartedAt,
    string? FinishedAt
)
{
    public static ContainerState Of(State? state) =>
        state is null
            ? new(null, false, false, 0, null, null, null)
            : new(
                state.Status,
                state.Running,
                state.OOMKilled,
                (int)state.ExitCode,
                state.Error,
                Time(state.StartedAt),
                Time(state.FinishedAt)
            );

    // Docker writes the year 1 for "never".
    private static string? Time(string? time) =>
        string.IsNullOrEmpty(time) || time.StartsWith("0001-", StringComparison.Ordinal) ? null : time;
}
