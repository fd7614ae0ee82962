using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub;

/// <summary>The routes that list, create and revoke API keys.</summary>
internal static partial class KeyRoutes
{
    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes, string pattern)
    {
        var group = routes.MapGroup(pattern).RequireAuthorization(Scopes.Admin);
        group.MapGet("", HubRoutes.Answer(ListAsync));
        group.MapPost("", HubRoutes.Audited("keys/create", CreateAsync));
        group.MapDelete("/{id}", HubRoutes.Audited("keys/revoke", RevokeAsync));
        return group.AllowOperators(otherOriginsWithKey: true).AllowHead();
    }

    private static async Task<object> ListAsync(HttpContext http)
    {
        var now = Of<TimeProvider>(http).GetUtcNow();
        return (await Of<StoredKeys>(http).ListAsync(http.RequestAborted))
            .Select(key => new
            {
                id = key.Id,
                name = key.Name,
                permissions = Scopes.Split(key.Scopes),
                created_at = TimeOf(key.Created),
                last_used = TimeOf(key.LastUsed),
                is_active = !(TimeOf(key.Expires) <= now),
                expires_at = TimeOf(key.Expires),
            })
            .ToArray();
    }

    private static async Task<object> CreateAsync(HttpContext http)
    {
        var keys = Of<StoredKeys>(http);
        if (keys.Problem is { } closed)
        {
            throw new ServerRefusedException(StatusCodes.Status409Conflict, closed);
        }

        var (name, scopes, expires) = Read(await ServerBody.ReadAsync(http), Of<TimeProvider>(http).GetUtcNow());
        HubAudit.Describe(http, "key", name);
        HubAudit.Describe(http, "permissions", scopes);
        if (keys.IsConfigured(name))
        {
            throw Taken();
        }

        var (outcome, row, key) = await keys.CreateAsync(name, scopes, expires, http.RequestAborted);
        if (outcome is not ApiKeyWrite.Done)
        {
            throw outcome is ApiKeyWrite.NameTaken
                ? Taken()
                : new ServerRefusedException(409, $"{StoredKeys.Most} keys exist, which is the limit. Revoke one.");
        }

        LogCreated(Log(http), name, scopes, Caller.From(http.User).Subject);
        return new
        {
            id = row.Id,
            name,
            api_key = key,
            permissions = Scopes.Split(scopes),
            created_at = TimeOf(row.Created),
            expires_at = TimeOf(row.Expires),
        };
    }

    private static async Task<object> RevokeAsync(HttpContext http)
    {
        var id = long.TryParse(
            (string?)http.Request.RouteValues["id"],
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var number
        )
            ? number
            : throw Wrong("The id of a key is a number.");
        if (!await Of<StoredKeys>(http).RevokeAsync(id, http.RequestAborted))
        {
            throw new ServerRefusedException(StatusCodes.Status404NotFound, "API key not found");
        }

        LogRevoked(Log(http), id, Caller.From(http.User).Subject);
        return new { message = "API key revoked successfully" };
    }

    private static (string Name, string Scopes, DateTimeOffset? Expires) Read(JsonElement body, DateTimeOffset now)
    {
        var (name, scopes, expires) = ("", Scopes.Read, (DateTimeOffset?)null);
        foreach (var member in body.EnumerateObject())
        {
            switch (member.Name)
            {
                case "name":
                    name = member.Value.ValueKind is JsonValueKind.String ? member.Value.GetString()! : "";
                    break;
                case "permissions":
                    scopes = ScopesOf(member.Value);
                    break;
                case "expires_at" when member.Value.ValueKind is not JsonValueKind.Null:
                    expires = TimeOf(member.Value, now);
                    break;
                case "expires_at":
                    break;
                default:
                    throw Wrong("The body has a member that is not known. It has name, permissions and expires_at.");
            }
        }

        return !KeyName().IsMatch(name)
                ? throw Wrong("name must have 1 to 64 letters, digits and . _ @ -, and begin with a letter or digit.")
            : Subjects.Problem(name) is { } reserved ? throw Wrong($"name {reserved}")
            : (name, scopes, expires);
    }

    private static string ScopesOf(JsonElement permissions)
    {
        string[] known = [.. Scopes.Split(Scopes.All)];
        string?[] given =
            permissions.ValueKind is JsonValueKind.Array && permissions.GetArrayLength() <= 16
                ?
                [
                    .. permissions
                        .EnumerateArray()
                        .Select(scope => scope.ValueKind is JsonValueKind.String ? scope.GetString() : null),
                ]
                : [];
        return given.Length > 0 && given.All(known.Contains)
            ? string.Join(' ', known.Where(given.Contains))
            : throw Wrong($"permissions must be an array of one or more of {string.Join(", ", known)}.");
    }

    private static DateTimeOffset TimeOf(JsonElement time, DateTimeOffset now) =>
        time.ValueKind is JsonValueKind.String
        && DateTimeOffset.TryParse(
            time.GetString(),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var expires
        )
        && expires > now
            ? expires
            : throw Wrong("expires_at must be a time in the future, such as 2030-01-31T00:00:00Z.");

    private static DateTimeOffset? TimeOf(long? milliseconds) =>
        milliseconds is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;

    private static ServerRefusedException Taken() =>
        new(StatusCodes.Status400BadRequest, "API key name already exists");

    private static ServerRefusedException Wrong(string why) => new(StatusCodes.Status422UnprocessableEntity, why);

    private static ILogger Log(HttpContext http) => Of<ILoggerFactory>(http).CreateLogger("MinimalMcp.Auth.ApiKeys");

    private static T Of<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\z")]
    private static partial Regex KeyName();

    [LoggerMessage(LogLevel.Information, "API key created {KeyName} {Scopes} {Caller}")]
    private static partial void LogCreated(ILogger log, string keyName, string scopes, string caller);

    [LoggerMessage(LogLevel.Information, "API key revoked {KeyId} {Caller}")]
    private static partial void LogRevoked(ILogger log, long keyId, string caller);
}
