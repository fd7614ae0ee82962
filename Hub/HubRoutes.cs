using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Configuration;
using MinimalMcp.Hub.SignIn;
using MinimalMcp.Storage;
using ModelContextProtocol;

namespace MinimalMcp.Hub;

/// <summary>The routes that register, change, start and stop servers.</summary>
internal static class HubRoutes
{
    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes, string pattern)
    {
        var group = routes.MapGroup(pattern);
        var read = group.MapGroup("").RequireAuthorization(Scopes.Read);
        read.MapGet("", Answer(ListAsync));
        read.MapGet("/{id}", Answer(async http => Shown(http, await FindAsync(http))));
        var write = group.MapGroup("").RequireAuthorization(Scopes.Write);
        write.MapPost("", Audited("create", CreateAsync));
        write.MapPost("/import", Audited("import", McpJsonRoutes.ImportAsync));
        write.MapPut("/{id}", Audited("update", UpdateAsync));
        write.MapDelete("/{id}", Audited("delete", DeleteAsync));
        write.MapPost("/{id}/start", Audited("start", StartAsync));
        write.MapPost("/{id}/stop", Audited("stop", StopAsync));
        write.MapPost("/{id}/restart", Audited("restart", RestartAsync));
        read.MapGet("/{id}/health", Answer(HealthAsync));
        read.MapGet("/{id}/tools", Answer(ToolsAsync));
        var admin = group.MapGroup("").RequireAuthorization(Scopes.Admin);
        admin.MapGet("/{id}/logs", Answer(LogsAsync));
        admin.MapPost("/{id}/tools/{tool}/approve", Audited("approve", ApproveAsync));
        admin.MapGet("/{id}/sign-in", Answer(SignInAsync)).AllowOperators(page: true);
        // Whoever has the state that we gave out finishes the sign-in.
        group.MapGet(UpstreamSignIn.Callback, Answer(SignedInAsync)).AllowAnonymous();
        routes.ServiceProvider.GetRequiredService<HubAddress>().Pattern = pattern;
        FromGitHubRoutes.Map(admin);
        return group.AllowOperators(otherOriginsWithKey: true).AllowHead();
    }

    private static async Task<object> ListAsync(HttpContext http) =>
        (await Of<ServerRegistry>(http).ListAsync(http.RequestAborted)).Select(server => Shown(http, server)).ToArray();

    private static async Task<object> CreateAsync(HttpContext http)
    {
        var body = await ServerBody.ReadAsync(http);
        var server = ServerBody.Apply(body, new() { Name = "" });
        Describe(http, server, body);
        Check(http, server);
        CheckName(http, server);
        // As in the guide: a server that may restart is started at once.
        var created = await Of<ServerRegistry>(http)
            .CreateAsync(server with { Wanted = server.AutoRestart }, http.RequestAborted);
        return Shown(http, created);
    }

    private static async Task<object> UpdateAsync(HttpContext http)
    {
        var body = await ServerBody.ReadAsync(http);
        var changed = await Of<ServerRegistry>(http)
            .UpdateAsync(
                IdOf(http),
                before =>
                {
                    CheckSource(before);
                    CheckCommand(http, before);
                    var after = ServerBody.Apply(body, before);
                    Describe(http, before, body);
                    Check(http, after);
                    if (after.Name != before.Name)
                    {
                        CheckName(http, after);
                    }

                    CheckAddress(http, before, after);
                    return after;
                },
                http.RequestAborted
            );
        return Shown(http, changed);
    }

    // Names of members only: values may be secrets.
    private static void Describe(HttpContext http, ServerDefinition server, JsonElement body)
    {
        HubAudit.Describe(http, "server", server.Name);
        HubAudit.Describe(
            http,
            "members",
            string.Join(", ", body.EnumerateObject().Select(member => member.Name).Take(30))
        );
    }

    private static async Task<object> DeleteAsync(HttpContext http)
    {
        var server = await FindAsync(http);
        HubAudit.Describe(http, "server", server.Name);
        CheckSource(server);
        CheckCommand(http, server);
        await Of<ServerRegistry>(http).DeleteAsync(server.Id, http.RequestAborted);
        return new { message = "Server deleted successfully" };
    }

    private static Task<object> StartAsync(HttpContext http) =>
        RunAsync(http, Of<Supervisor>(http).StartAsync, "started");

    private static Task<object> RestartAsync(HttpContext http) =>
        RunAsync(http, Of<Supervisor>(http).RestartAsync, "restarted");

    private static async Task<object> RunAsync(HttpContext http, Func<long, CancellationToken, Task> run, string done)
    {
        var server = await FindAsync(http);
        HubAudit.Describe(http, "server", server.Name);
        if (server.Command is { Length: > 0 })
        {
            CheckMode(http);
        }

        try
        {
            await run(server.Id, http.RequestAborted);
        }
        catch (InstallingException installing)
        {
            http.Response.StatusCode = StatusCodes.Status202Accepted;
            return new { message = $"{installing.Message} GET /api/v1/servers/{server.Id} shows when it is active." };
        }
        catch (McpException failure)
        {
            // It runs, and connects as soon as somebody has signed in: the sentence has the page.
            var needsSignIn = Of<Supervisor>(http).State(server.Id).Status is ServerStatus.NeedsSignIn;
            throw new ServerRefusedException(
                needsSignIn ? StatusCodes.Status409Conflict : StatusCodes.Status500InternalServerError,
                failure.Message
            );
        }

        return new { message = $"Server {done} successfully" };
    }

    private static async Task<object> StopAsync(HttpContext http)
    {
        var server = await FindAsync(http);
        HubAudit.Describe(http, "server", server.Name);
        await Of<Supervisor>(http).StopAsync(server.Id, http.RequestAborted);
        return new { message = "Server stopped successfully" };
    }

    private static async Task<object> HealthAsync(HttpContext http)
    {
        var server = await FindAsync(http);
        string? error = null;
        try
        {
            await Of<Supervisor>(http).CheckHealthAsync(server.Id, http.RequestAborted);
        }
        catch (Exception failure) when (failure is McpException or OperationCanceledException)
        {
            http.RequestAborted.ThrowIfCancellationRequested();
            error = failure is McpException ? failure.Message : "It did not answer the health check.";
        }

        var state = Of<Supervisor>(http).State(server.Id);
        var lists = await Of<ServerRegistry>(http).ListsAsync(server.Id, http.RequestAborted);
        return new
        {
            server_id = server.Id,
            status = ServerBody.Shown(state.Status),
            last_check = state.LastHealthCheck,
            response_time_ms = state.ResponseTimeMs,
            error = error ?? state.Reason,
            tools_count = lists?.Tools.Count ?? 0,
            resources_count = lists?.Resources.Count ?? 0,
        };
    }

    private static async Task<object> ToolsAsync(HttpContext http)
    {
        var server = await FindAsync(http);
        var tools = await Of<Supervisor>(http).ToolsAsync(server.Id, http.RequestAborted) ?? [];
        return new { server_id = server.Id, tools = tools.Select(ServerToolRoutes.Shown) };
    }

    private static async Task<object> ApproveAsync(HttpContext http)
    {
        var server = await FindAsync(http);
        var hash = await ServerToolRoutes.ReadHashAsync(http);
        HubAudit.Describe(http, "server", server.Name);
        HubAudit.Describe(http, "hash", hash.Length <= 64 ? hash : null);
        var tool = ServerToolRoutes.Find(
            await Of<Supervisor>(http).ToolsAsync(server.Id, http.RequestAborted),
            Uri.UnescapeDataString((string)http.Request.RouteValues["tool"]!)
        );
        if (tool.Hash != hash)
        {
            throw new ServerRefusedException(
                StatusCodes.Status409Conflict,
                $"The definition has the hash {tool.Hash} now. Look at it again, and approve that one."
            );
        }

        if (tool.Replaces is not null)
        {
            await Of<Supervisor>(http).ApproveAsync(server, tool, http.RequestAborted);
        }

        return new { message = "Tool approved successfully" };
    }

    private static async Task<object> LogsAsync(HttpContext http)
    {
        var server = await FindAsync(http);
        var after = http.Request.Query["after"].ToString();
        var (next, lines) = Of<Supervisor>(http)
            .Log(server.Id)
            .After(
                after.Length == 0 ? 0
                : long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count
                : throw new ServerRefusedException(422, "after must be the number that next was in an answer before.")
            );
        return new
        {
            server_id = server.Id,
            lines,
            next,
        };
    }

    private static async Task<object> SignInAsync(HttpContext http)
    {
        var inBrowser = http.Request.GetTypedHeaders().Accept.Any(type => type.MediaType == "text/html");
        var url = await Of<UpstreamSignIn>(http).BeginAsync(http, await FindAsync(http), inBrowser);
        if (inBrowser)
        {
            http.Response.Redirect(url.AbsoluteUri);
        }

        return new { authorization_url = url.AbsoluteUri, expires_in = 600 };
    }

    private static async Task<object> SignedInAsync(HttpContext http)
    {
        http.Response.Headers["Referrer-Policy"] = "no-referrer"; // the address has the code
        var name = await Of<UpstreamSignIn>(http).FinishAsync(http);
        return new { message = $"Signed in. Server '{name}' connects now; this page can be closed." };
    }

    internal static void Check(HttpContext http, ServerDefinition server)
    {
        CheckCommand(http, server);
        if (server.Command is { Length: > 0 })
        {
            CheckMode(http);
        }

        CheckPerCaller(http, server);
        ServerBody.Check(server, Of<IOptions<HubOptions>>(http).Value);
    }

    private static void CheckSource(ServerDefinition server)
    {
        if (server.IsConfigured)
        {
            throw new ServerRefusedException(
                StatusCodes.Status409Conflict,
                $"Server '{server.Name}' comes from the configuration (Hub:Servers, Hub:File). Change or remove it "
                    + "there; it can be started and stopped here."
            );
        }
    }

    internal static void CheckName(HttpContext http, ServerDefinition server)
    {
        if (Of<ServerNames>(http).Problem(server.Name) is { } problem)
        {
            throw new ServerRefusedException(StatusCodes.Status400BadRequest, problem);
        }
    }

    // A command runs on this machine as this server's user.
    private static void CheckCommand(HttpContext http, ServerDefinition server)
    {
        if (server.Command is { Length: > 0 } && !IsAdmin(http))
        {
            throw Forbidden(http, "A server with a command");
        }
    }

    private static void CheckMode(HttpContext http)
    {
        if (Of<IOptions<AuthOptions>>(http).Value.IsOff && !Of<IOptions<HubOptions>>(http).Value.CommandsWithoutAuth)
        {
            throw new ServerRefusedException(
                StatusCodes.Status403Forbidden,
                "Commands are refused while Auth:Mode (MCP_AUTH_MODE) is none. Set MCP_AUTH_MODE to api-key and "
                    + "MCP_API_KEY, or set Hub:CommandsWithoutAuth to true."
            );
        }
    }

    // It asks other people for secrets, who must be able to tell whom they give them to.
    private static void CheckPerCaller(HttpContext http, ServerDefinition server)
    {
        if (server.Auth is not AuthType.PerCaller)
        {
            return;
        }

        if (!IsAdmin(http))
        {
            throw Forbidden(http, "A server that takes secrets of callers");
        }

        if (Of<OperatorSignIn>(http).ProblemForCallers is { } problem)
        {
            throw new ServerRefusedException(
                StatusCodes.Status409Conflict,
                $"auth_type per_caller is refused, because callers store their secrets on a page. {problem}"
            );
        }
    }

    // Otherwise a caller who may not read a stored credential could have it sent to an address of their own.
    private static void CheckAddress(HttpContext http, ServerDefinition before, ServerDefinition after)
    {
        if (
            (before.Address != after.Address || before.Auth != after.Auth)
            && after.AuthConfig.Any(entry => before.AuthConfig.GetValueOrDefault(entry.Key) == entry.Value)
            && !IsAdmin(http)
        )
        {
            throw Forbidden(http, "Another address for stored credentials");
        }
    }

    private static ServerRefusedException Forbidden(HttpContext http, string what)
    {
        var why = Caller.From(http.User).LacksScope(what, Scopes.Admin);
        return new(Of<BearerChallenges>(http).Mark(http, Scopes.Admin, why), why);
    }

    private static bool IsAdmin(HttpContext http) => Caller.From(http.User).HasScope(Scopes.Admin);

    private static async Task<ServerDefinition> FindAsync(HttpContext http) =>
        await Of<ServerRegistry>(http).FindAsync(IdOf(http), http.RequestAborted)
        ?? throw ServerRefusedException.NotFound();

    private static long IdOf(HttpContext http) =>
        long.TryParse((string?)http.Request.RouteValues["id"], out var id)
            ? id
            : throw new ServerRefusedException(422, "The id of a server is a number.");

    internal static object Shown(HttpContext http, ServerDefinition server)
    {
        var state = Of<Supervisor>(http).State(server.Id);
        var (isAdmin, isRemote) = (IsAdmin(http), server.Transport is not TransportType.Stdio);
        return new
        {
            id = server.Id,
            name = server.Name,
            description = server.Description,
            github_url = server.GithubUrl,
            command = server.Command,
            args = isAdmin ? server.Args : server.Args.Select(_ => ServerBody.Masked),
            env = Masked(server.Env),
            transport_type = ServerBody.Shown(server.Transport),
            host = isAdmin || !isRemote ? server.Host : ServerBody.Masked,
            port = isAdmin ? server.Port : null,
            url = isAdmin || server.Url is null ? server.Url : ServerBody.Masked,
            auth_type = ServerBody.Shown(server.Auth),
            auth_config = Masked(server.AuthConfig),
            auto_restart = server.AutoRestart,
            max_restarts = server.MaxRestarts,
            health_check_interval = server.HealthCheckInterval,
            risk = server.Risk,
            names = server.OwnNames ? "own" : "prefixed",
            source = server.IsConfigured ? "configuration" : "api",
            warnings = PackageVersions.Warnings(server),
            status = ServerBody.Shown(state.Status),
            reason = state.Reason,
            notices = (string[])
                [.. Of<JoinedTools>(http).Notices(server.Id), .. Of<JoinedPrompts>(http).Notices(server.Id)],
            restart_count = state.RestartCount,
            last_health_check = state.LastHealthCheck,
            created_at = DateTimeOffset.FromUnixTimeMilliseconds(server.CreatedAt),
            updated_at = DateTimeOffset.FromUnixTimeMilliseconds(server.UpdatedAt),
        };
    }

    private static Dictionary<string, string> Masked(IReadOnlyDictionary<string, string> secrets) =>
        secrets.ToDictionary(secret => secret.Key, _ => ServerBody.Masked);

    internal static RequestDelegate Audited(string action, Func<HttpContext, Task<object>> answer) =>
        Answer(http => Of<HubAudit>(http).RunAsync(action, http, answer));

    /// <summary>Answers with JSON; refusals have detail and timestamp.</summary>
    internal static RequestDelegate Answer(Func<HttpContext, Task<object>> answer) =>
        async http =>
        {
            http.Response.Headers.CacheControl = "no-store";
            var (status, body) = await AnswerAsync(http, answer);
            if (http.Response.StatusCode is StatusCodes.Status200OK) // or what the route has set
            {
                http.Response.StatusCode = status;
            }

            await http.Response.WriteAsJsonAsync(body, body.GetType());
        };

    private static async Task<(int Status, object Body)> AnswerAsync(
        HttpContext http,
        Func<HttpContext, Task<object>> answer
    )
    {
        try
        {
            return (200, await answer(http));
        }
        catch (ServerRefusedException refused) when (refused.Candidates is { } candidates)
        {
            var timestamp = Of<TimeProvider>(http).GetUtcNow();
            return (
                refused.Status,
                new
                {
                    detail = refused.Message,
                    timestamp,
                    candidates,
                }
            );
        }
        catch (ServerRefusedException refused)
        {
            return Refused(refused.Status, refused.Message);
        }
        catch (BadHttpRequestException wrong)
        {
            return Refused(wrong.StatusCode, wrong.Message); // the body is too large, or was cut off
        }
        catch (StorageException)
        {
            return Refused(503, "The server's store is unavailable. Try again in a minute.");
        }
        catch (StartupException missing)
        {
            return Refused(409, missing.Message);
        }

        (int, object) Refused(int status, string detail) =>
            (status, new { detail, timestamp = Of<TimeProvider>(http).GetUtcNow() });
    }

    private static T Of<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();
}
