using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Hub.Remote;

namespace MinimalMcp.Hub;

/// <summary>Reads the body of create and update. Members that are absent keep their value.</summary>
internal static partial class ServerBody
{
    public const string Masked = "***";

    private const int MaxText = 8192;

    private static readonly string[] Levels = ["LOW", "MEDIUM", "HIGH", "CRITICAL"];

    public static ServerDefinition Apply(JsonElement body, ServerDefinition server)
    {
        foreach (var member in body.EnumerateObject())
        {
            var value = member.Value;
            server = member.Name switch
            {
                "name" => server with { Name = Text(member, 40) ?? "" },
                "description" => server with { Description = Text(member, 2000) },
                "github_url" => server with { GithubUrl = Text(member, 500) },
                "command" => server with { Command = Text(member, 100) },
                "args" => server with { Args = List(member) },
                "env" => server with { Env = Map(member, server.Env) },
                "transport_type" => server with { Transport = Choice<TransportType>(member) },
                "host" => server with { Host = Text(member, 255) ?? "localhost" },
                "port" => server with
                {
                    Port = value.ValueKind is JsonValueKind.Null ? null : Number(member, 1, 65535),
                },
                "url" => server with { Url = Text(member, 2000) },
                "auth_type" => server with { Auth = Choice<AuthType>(member) },
                "auth_config" => server with { AuthConfig = Map(member, server.AuthConfig) },
                "auto_restart" => server with { AutoRestart = Flag(member) },
                "max_restarts" => server with { MaxRestarts = Number(member, 0, 1000) },
                "health_check_interval" => server with { HealthCheckInterval = Number(member, 5, 86_400) },
                "risk" => server with { Risk = Text(member, 10)?.ToUpperInvariant() },
                "names" => server with
                {
                    OwnNames = Text(member, 10) switch
                    {
                        "own" => true,
                        "prefixed" => false,
                        _ => throw Wrong("names must be prefixed or own."),
                    },
                },
                // What a server is shown with, so that a changed answer can be sent back.
                "id" or "status" or "reason" or "notices" or "restart_count" => server,
                "created_at" or "updated_at" or "last_health_check" or "source" or "warnings" => server,
                _ => throw Wrong(
                    $"The body has a member that is not known: {(member.Name.Length > 40 ? "(long)" : member.Name)}."
                ),
            };
        }

        return server;
    }

    /// <summary>Throws when the definition as a whole is not acceptable.</summary>
    public static void Check(ServerDefinition server, HubOptions options)
    {
        var problem =
            !Name().IsMatch(server.Name)
                ? "name must have 1 to 40 lower-case letters, digits, - and _, and begin with a letter or digit."
            : server.Risk is not null && !Levels.Contains(server.Risk)
                ? $"risk must be one of {string.Join(", ", Levels)}."
            : server.Transport is TransportType.Stdio && server.Command is null or ""
                ? "command is missing: a server with transport_type stdio is started by one."
            : server.Transport is not TransportType.Stdio && server.Url is null or "" && server.Port is null
                ? "url is missing, or host and port: a remote server needs its address."
            : server.Url is { Length: > 0 } && !RemoteAddress.IsAllowed(server.Url)
                ? "url must be an http or https URL without a user name, and not of a link-local address."
            : server.Port is not null && !RemoteAddress.IsAllowed($"http://{server.Host}:{server.Port}/")
                ? "host must be a host name or an address, and not a link-local one."
            : server.Transport is not TransportType.Stdio ? UpstreamCredential.Problem(server)
            : server.Auth is AuthType.PerCaller
                ? "auth_type per_caller is for remote servers: a server over stdio is one process for all callers."
            : null;
        if (problem is not null)
        {
            throw Wrong(problem);
        }

        var refused = server.Command is { Length: > 0 } command
            ? CommandCheck.Problem(options, command, server.Args)
            : null;
        if ((refused ?? CommandCheck.Problem(server.Env)) is { } why)
        {
            throw new ServerRefusedException(StatusCodes.Status400BadRequest, why);
        }
    }

    public static async Task<JsonElement> ReadAsync(HttpContext http)
    {
        var utf8 = await ReadBytesAsync(http);
        try
        {
            return StrictJson.ParseObject(utf8);
        }
        catch (FormatException wrong)
        {
            throw Wrong($"The body {wrong.Message}.");
        }
    }

    public static async Task<byte[]> ReadBytesAsync(HttpContext http)
    {
        if (!http.Request.HasJsonContentType())
        {
            throw new ServerRefusedException(415, "Send the body as JSON, with Content-Type: application/json.");
        }

        using var buffer = new MemoryStream();
        await http.Request.Body.CopyToAsync(buffer, http.RequestAborted);
        return buffer.ToArray();
    }

    /// <summary>An enum as the guide writes it: ApiKey is api_key.</summary>
    public static string Shown<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static ServerRefusedException Wrong(string why) => new(StatusCodes.Status422UnprocessableEntity, why);

    private static string? Text(JsonProperty member, int most) =>
        member.Value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String when member.Value.GetString() is { } text && text.Length <= most && !Hidden(text) =>
                text,
            _ => throw Wrong($"{member.Name} must be a text of at most {most} characters without control characters."),
        };

    private static bool Hidden(string text) =>
        text.Any(letter => char.IsControl(letter) && letter is not '\n' and not '\t');

    private static bool Flag(JsonProperty member) =>
        member.Value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong($"{member.Name} must be true or false."),
        };

    private static int Number(JsonProperty member, int least, int most) =>
        member.Value.ValueKind is JsonValueKind.Number
        && member.Value.TryGetInt32(out var number)
        && number >= least
        && number <= most
            ? number
            : throw Wrong($"{member.Name} must be a whole number from {least} to {most}.");

    private static T Choice<T>(JsonProperty member)
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>();
        var found =
            member.Value.ValueKind is JsonValueKind.String
                ? Array.FindIndex(values, value => Shown(value) == member.Value.GetString())
                : -1;
        return found >= 0
            ? values[found]
            : throw Wrong($"{member.Name} must be one of {string.Join(", ", values.Select(Shown))}.");
    }

    private static List<string> List(JsonProperty member) =>
        member.Value.ValueKind is JsonValueKind.Array
        && member.Value.EnumerateArray().All(entry => entry.ValueKind is JsonValueKind.String)
            ? [.. member.Value.EnumerateArray().Select(entry => entry.GetString()!)]
            : throw Wrong($"{member.Name} must be an array of texts.");

    private static Dictionary<string, string> Map(JsonProperty member, IReadOnlyDictionary<string, string> before)
    {
        if (member.Value.ValueKind is not JsonValueKind.Object || member.Value.EnumerateObject().Count() > 64)
        {
            throw Wrong($"{member.Name} must be an object with at most 64 members.");
        }

        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in member.Value.EnumerateObject())
        {
            var text = entry.Value.ValueKind switch
            {
                JsonValueKind.String => entry.Value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => entry.Value.GetRawText(),
                _ => throw Wrong($"A value of {member.Name} is not a text."),
            };
            map[entry.Name] =
                text != Masked
                    ? text.Length <= 2 * MaxText
                        ? text
                        : throw Wrong($"A value of {member.Name} is too long.")
                    : before.TryGetValue(entry.Name, out var kept)
                        ? kept
                        : throw Wrong(
                            $"{member.Name} has {Masked} as a value, which stands for one that is stored; none is."
                        );
        }

        return map;
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,39}\z")]
    private static partial Regex Name();
}
