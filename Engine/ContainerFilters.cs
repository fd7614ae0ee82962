using System.Text.Json.Serialization;

namespace MinimalMcp.Engine;

/// <summary>What a container is doing, in the API's words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
public enum ContainerStatus
{
    [JsonStringEnumMemberName("created")] Created,
    [JsonStringEnumMemberName("running")] Running,
    [JsonStringEnumMemberName("paused")] Paused,
    [JsonStringEnumMemberName("restarting")] Restarting,
    [JsonStringEnumMemberName("exited")] Exited,
    [JsonStringEnumMemberName("dead")] Dead,
}

/// <summary>What its health check says.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerHealthStatus>))]
public enum ContainerHealthStatus
{
    [JsonStringEnumMemberName("healthy")] Healthy,
    [JsonStringEnumMemberName("unhealthy")] Unhealthy,
    [JsonStringEnumMemberName("starting")] Starting,
    [JsonStringEnumMemberName("none")] None,
}

public static class ContainerFilters
{
    /// <summary>For <see cref="EngineClient.ContainersAsync"/>.</summary>
    public static IEnumerable<(string Name, string Value)> Of(ContainerStatus? status, ContainerHealthStatus? health, string? stack = null)
    {
        if (status is { } state)
        {
            yield return ("status", Word(state));
        }

        if (health is { } checkedAs)
        {
            yield return ("health", Word(checkedAs));
        }

        if (stack is not null)
        {
            yield return ContainerView.OfStack(stack);
        }
    }

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
