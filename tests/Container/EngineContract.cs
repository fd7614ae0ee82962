using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Container;

/// <summary>
/// What may be asked, restated from the descriptions of Docker's API (1.41 to 1.52) and Portainer's (CE 2.x): the
/// method, the path, the query's names and the body's. A request that is not in it would be a 404, a 405 or, worse,
/// something else than was meant.
/// </summary>
internal static class EngineContract
{
    private const string Container = "[a-zA-Z0-9][a-zA-Z0-9_.-]*";

    private const string ContainerConfig =
        "Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin"
        + " StdinOnce Env Cmd Healthcheck ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled OnBuild"
        + " Labels StopSignal"
        // The last belongs to the query. Docker.DotNet repeats it, and Docker ignores it.
        + " StopTimeout Shell HostConfig NetworkingConfig Name";

    private static readonly (string Method, string Path, string Query, string Body)[] Docker =
    [
        ("GET", "version", "", ""),
        ("GET", "events", "since until filters", ""),
        ("GET", "containers/json", "all limit size filters", ""),
        ("GET", $"containers/{Container}/json", "size", ""),
        // no follow: it would never end
        ("GET", $"containers/{Container}/logs", "stdout stderr since until timestamps tail", ""),
        ("GET", $"containers/{Container}/stats", "stream one-shot", ""),
        ("POST", $"containers/{Container}/start", "detachKeys", ""),
        ("POST", $"containers/{Container}/stop", "t signal", ""),
        ("POST", $"containers/{Container}/restart", "t signal", ""),
        ("POST", $"containers/{Container}/wait", "condition", ""),
        ("DELETE", $"containers/{Container}", "force v link", ""),
        ("POST", "containers/create", "name platform", ContainerConfig),
        ("PUT", $"containers/{Container}/archive", "path", "*"),
        ("GET", "images/json", "all filters digests", ""),
        ("GET", ".+/json", "", ""), // an image, whose name may have slashes
        ("POST", "images/create", "fromImage fromSrc repo tag changes", "*"),
        ("DELETE", "images/.+", "force noprune", ""),
        ("GET", "volumes", "filters", ""),
        ("DELETE", $"volumes/{Container}", "force", ""),
        ("GET", "networks", "filters", ""),
        ("POST", "networks/create", "", "Name CheckDuplicate Labels"),
        ("DELETE", $"networks/{Container}", "", ""),
        ("POST", "(containers|images|networks|volumes)/prune", "filters", ""),
    ];

    private static readonly (string Method, string Path, string Query, string Body)[] Portainer =
    [
        ("GET", "api/system/status", "", ""),
        ("GET", "api/endpoints", "start limit search excludeSnapshots", ""),
        ("GET", "api/stacks", "filters", ""),
        ("GET", "api/stacks/[0-9]+", "", ""),
        ("GET", "api/stacks/[0-9]+/file", "", ""),
        ("POST", "api/stacks/[0-9]+/(start|stop)", "endpointId", ""), // always with it
        ("POST", "api/stacks/create/standalone/string", "endpointId", "*"),
        ("DELETE", "api/stacks/[0-9]+", "endpointId", ""),
    ];

    /// <summary>What is wrong with a request; null when nothing is.</summary>
    /// <param name="request">As it arrived.</param>
    /// <param name="path">Without the version and without what leads to the engine.</param>
    /// <param name="body">What was sent.</param>
    /// <param name="ofPortainer">Whether it asks Portainer itself.</param>
    public static string? Violation(HttpRequest request, string path, string body, bool ofPortainer)
    {
        var known = (ofPortainer ? Portainer : Docker)
            .Where(row => row.Method == request.Method && Regex.IsMatch(path, $"^{row.Path}$"))
            .ToArray();
        if (known.Length == 0)
        {
            return $"{request.Method} {path} is not in the API";
        }

        var (_, _, query, fields) = known[0];
        var strange = request
            .Query.Keys.Except(query.Split(' '))
            .Concat(
                fields == "*" || body.Length == 0
                    ? []
                    : JsonElement.Parse(body).EnumerateObject().Select(field => field.Name).Except(fields.Split(' '))
            )
            .ToArray();
        return strange.Length > 0 ? $"{request.Method} {path} does not know {string.Join(", ", strange)}"
            : path.EndsWith("/start", StringComparison.Ordinal)
            && ofPortainer
            && !request.Query.ContainsKey("endpointId")
                ? "endpointId is missing"
            : request.Query.TryGetValue("filters", out var filters) && !IsFilter(filters.ToString())
                ? $"{filters} are no filters"
            : null;
    }

    private static bool IsFilter(string json)
    {
        try
        {
            return JsonElement.Parse(json).ValueKind is JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
