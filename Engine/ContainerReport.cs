using System.ComponentModel;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;

namespace MinimalMcp.Engine;

/// <summary>A container in detail, without what nobody asks for and without secrets.</summary>
public sealed partial record ContainerReport(
    string Id,
    string Name,
    string Image,
    string? Created,
    ContainerState State,
    string? Health,
    [property: Description("What its last health check printed.")] string? LastHealthOutput,
    int RestartCount,
    string? RestartPolicy,
    IReadOnlyList<string> Command,
    string? User,
    bool Tty,
    bool Privileged,
    [property: Description("Environment variables. Values are left out unless the operator shows them.")]
        IReadOnlyList<string> Environment,
    IReadOnlyList<string> Ports,
    IReadOnlyList<string> Networks,
    [property: Description("From and to, for example \"/srv/data -> /data (ro)\".")] IReadOnlyList<string> Mounts,
    IReadOnlyDictionary<string, string> Labels
)
{
    private const int MaxOutput = 500;

    /// <param name="container">As Docker describes it.</param>
    /// <param name="showEnvironment">With the values of its environment, which usually hold passwords.</param>
    public static ContainerReport Of(ContainerInspectResponse container, bool showEnvironment)
    {
        var (config, state) = (container.Config, container.State);
        return new(
            ContainerView.ShortId(container.ID),
            container.Name?.TrimStart('/') ?? "",
            Known(config?.Image) ?? container.Image ?? "",
            container.Created.Year > 1 ? container.Created.ToString("O") : null,
            ContainerState.Of(state),
            Known(state?.Health?.Status),
            state?.Health?.Log is [.., { Output.Length: > 0 } last]
                ? EngineException.OneLine(SecretText.Hide(last.Output), MaxOutput)
                : null,
            (int)container.RestartCount,
            PolicyOf(container.HostConfig),
            [.. SecretText.Hide((config?.Entrypoint ?? []).Concat(config?.Cmd ?? []).OfType<string>())],
            Known(config?.User),
            config?.Tty is true,
            container.HostConfig?.Privileged is true,
            [
                .. (config?.Env ?? [])
                    .OfType<string>()
                    .Select(one => showEnvironment ? one : $"{one.Split('=')[0]}={SecretText.Hidden}"),
            ],
            PortsOf(container),
            [.. container.NetworkSettings?.Networks?.Select(NetworkText) ?? []],
            [.. (container.Mounts ?? []).OfType<MountPoint>().Select(MountText)],
            (config?.Labels ?? new Dictionary<string, string>()).ToDictionary(
                label => label.Key,
                label => SecretName().IsMatch(label.Key) ? SecretText.Hidden : SecretText.Hide(label.Value ?? "")
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
        "pass|pwd|secret|token|credential|(?:api|private|access|signing|encryption|client|ssh|license)[-_.]?key|auth|jwt",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex SecretName();
}

public sealed record ContainerState(
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

    // The beginning of time is how Docker writes "never".
    private static string? Time(string? time) =>
        string.IsNullOrEmpty(time) || time.StartsWith("0001-", StringComparison.Ordinal) ? null : time;
}
