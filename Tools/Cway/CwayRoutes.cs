using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Cway;

/// <summary>The REST API below <c>/api</c>, which a GPT Action calls with CWAY_API_TOKEN as its key.</summary>
public static class CwayRoutes
{
    /// <summary>The name of the OpenAPI document, of the policy and of the authentication scheme.</summary>
    internal const string Name = "cway";

    private static readonly JsonSerializerOptions Snake = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    internal static void AddCwayRoutes(this IServiceCollection services)
    {
        services.AddAuthenticationCore(schemes => schemes.AddScheme<CwayTokenHandler>(Name, null));
        services.AddTransient<CwayTokenHandler>();
        services.AddOpenApi(Name, options =>
        {
            options.ShouldInclude = route => route.GroupName == Name;
            options.AddDocumentTransformer(
                (document, _, _) =>
                {
                    Describe(document);
                    return Task.CompletedTask;
                }
            );
        });
    }

    /// <summary>Maps the routes, where the family is on.</summary>
    /// <param name="isOn">Whether this process serves plain HTTP.</param>
    public static void MapCway(this IEndpointRouteBuilder routes, bool isOn = true)
    {
        if (!isOn || routes.ServiceProvider.GetService<CwayClient>() is null)
        {
            return;
        }

        var api = routes.MapGroup("/api").WithGroupName(Name).WithTags(Name).AddEndpointFilter(FailAsync);
        api.RequireAuthorization(policy =>
            policy
                .AddAuthenticationSchemes(Name)
                .RequireAuthenticatedUser()
                .RequireAssertion(context => context.User.Claims.Any(IsScope))
        );
        MapProjects(api);
        MapUsers(api);
        MapFigures(api);
    }

    // Every scope contains mcp:read.
    private static bool IsScope(Claim claim) =>
        claim.Type == "scope" && claim.Value.StartsWith("mcp:", StringComparison.Ordinal);

    private static void MapProjects(RouteGroupBuilder api)
    {
        api.MapGet("/projects", (CwayClient cway, CancellationToken ct) => ProjectsAsync(cway, _ => true, ct))
            .Described<CwayRestProjects>("listProjects", "List projects", "All projects of the planner.");
        api.MapGet("/projects/filter/active", (CwayClient cway, CancellationToken ct) =>
                ProjectsAsync(cway, project => project.IsActive, ct)
            )
            .Described<CwayRestProjects>("listActiveProjects", "List active projects", "Projects in progress.");
        api.MapGet("/projects/filter/completed", (CwayClient cway, CancellationToken ct) =>
                ProjectsAsync(cway, project => project.IsCompleted, ct)
            )
            .Described<CwayRestProjects>("listCompletedProjects", "List completed projects", "Delivered or closed.");
        api.MapGet("/projects/search", SearchAsync)
            .Described<CwayRestSearch>(
                "searchProjects",
                "Search projects",
                "Projects by words in name, description, files or barcodes."
            );
        api.MapGet("/projects/status-summary", SummaryAsync)
            .Described<CwayStatusSummary>(
                "getStatusSummary",
                "Summarise projects",
                "Counts by state, and deadlines at risk."
            );
        api.MapGet("/projects/{project_id}", ProjectAsync)
            .Described<CwayRestProject>("getProject", "Get a project", "One project of the planner.");
        api.MapGet("/projects/{project_id}/details", DetailsAsync)
            .Described<CwayProjectDetails>("getProjectDetails", "Get project details", "People, artworks and files.");
        api.MapGet("/projects/{project_id}/history", HistoryAsync)
            .Described<CwayHistoryResult>("getProjectHistory", "Get a project's history", "Events, newest first.");
        api.MapGet("/projects/{project_id}/velocity", VelocityAsync)
            .Described<CwayVelocity>("getProjectVelocity", "Get a project's velocity", "Pace by day, week and month.");
    }

    private static void MapUsers(RouteGroupBuilder api)
    {
        api.MapGet("/users", UsersAsync).Described<CwayRestUsers>("listUsers", "List users", "All users.");
        api.MapGet("/users/by-email/{email}", UserByEmailAsync)
            .Described<CwayRestUser>("findUserByEmail", "Find a user by e-mail", "Upper and lower case do not matter.");
        api.MapGet("/users/{user_id}", UserAsync)
            .Described<CwayRestUser>("getUser", "Get a user", "By UUID or username.");
    }

    private static void MapFigures(RouteGroupBuilder api)
    {
        api.MapGet("/system/status", StatusAsync)
            .Described<CwayRestStatus>("getSystemStatus", "Get the status", "Whether Cway answers.");
        api.MapGet("/kpis/dashboard", async (CwayClient cway, CwayHistoryClient history, CancellationToken ct) =>
                Figures(
                    CwayFigures.Dashboard(await history.LoadAsync(null, ct), await CwayUserTools.CountAsync(cway, ct))
                )
            )
            .Described<CwayKpiDashboard>("getKpiDashboard", "Get the KPI dashboard", "KPIs, health and productivity.");
        api.MapGet("/kpis/project-health", async (CwayHistoryClient history, CancellationToken ct) =>
                Figures(CwayFigures.Health(await history.LoadAsync(null, ct)))
            )
            .Described<CwayHealth[]>("getProjectHealth", "Get project health", "All projects, the worst first.");
        api.MapGet("/kpis/critical-projects", async (CwayHistoryClient history, CancellationToken ct) =>
                Figures(CwayFigures.Health(await history.LoadAsync(null, ct)).Where(CwayAnalyticsTools.IsCritical))
            )
            .Described<CwayHealth[]>("getCriticalProjects", "Get critical projects", "Health critical or warning.");
        api.MapGet("/temporal-kpis/dashboard", TemporalAsync)
            .Described<CwayTemporalDashboard>(
                "getTemporalDashboard",
                "Get the activity dashboard",
                "Pace and stagnation."
            );
        api.MapGet("/temporal-kpis/stagnation-alerts", AlertsAsync)
            .Described<CwayRestAlert[]>("getStagnationAlerts", "Get stagnation alerts", "The most urgent first.");
    }

    private static async Task<IResult> ProjectsAsync(
        CwayClient cway,
        Func<CwayProject, bool> which,
        CancellationToken ct
    )
    {
        var projects = (await CwayTools.PlannerAsync(cway, ct)).Projects.Where(which).Select(CwayRestProject.Of);
        return Results.Json(new CwayRestProjects([.. projects]), JsonSerializerOptions.Web);
    }

    private static async Task<IResult> ProjectAsync(
        [Description("The project's UUID.")] string project_id,
        CwayClient cway,
        CancellationToken ct
    )
    {
        var projects = (await CwayTools.PlannerAsync(cway, ct)).Projects;
        return projects.Find(one => project_id.Equals(one.Id, StringComparison.OrdinalIgnoreCase)) is { } project
            ? Results.Json(CwayRestProject.Of(project), JsonSerializerOptions.Web)
            : NotFound($"Project not found: {project_id}");
    }

    private static async Task<IResult> SearchAsync(
        CwayClient cway,
        CancellationToken ct,
        [Description("What to look for."), MaxLength(200)] string? query = null,
        [Description("At most this many, 1 to 100."), Range(1, 100)] int limit = 10
    )
    {
        if (limit is < 1 or > 100)
        {
            return Invalid("limit must be from 1 to 100.");
        }

        var found = await CwayTools.SearchAsync(cway, query, limit, ct);
        return Results.Json(
            new CwayRestSearch([.. found.Projects.Select(CwayRestProject.Of)], found.TotalHits),
            JsonSerializerOptions.Web
        );
    }

    private static async Task<IResult> SummaryAsync(CwayHistoryClient history, CancellationToken ct)
    {
        var (projects, note) = await history.ProjectsAsync(ct);
        return Figures(CwayFigures.StatusSummary(projects, history.Today) with { Note = note });
    }

    private static async Task<IResult> DetailsAsync(
        [Description("The project's UUID.")] string project_id,
        CwayClient cway,
        CancellationToken ct
    ) =>
        Guid.TryParse(project_id, out var id) && (await CwayTools.ReadAsync(cway, $"{id}", ct)).Value is { } project
            ? Figures(project)
            : NotFound($"Project not found: {project_id}");

    private static async Task<IResult> HistoryAsync(
        [Description("The project's UUID.")] string project_id,
        CwayClient cway,
        CancellationToken ct,
        [Description("At most this many events."), Range(1, 1000)] int limit = 100
    ) =>
        limit is < 1 or > 1000 ? Invalid("limit must be from 1 to 1000.")
        : Guid.TryParse(project_id, out _) ? Figures(await new CwayTools(cway).GetProjectHistory(project_id, limit, ct))
        : NotFound($"Project not found: {project_id}");

    private static async Task<IResult> VelocityAsync(
        [Description("The project's UUID.")] string project_id,
        CwayClient cway,
        CwayHistoryClient history,
        CancellationToken ct
    )
    {
        if (!Guid.TryParse(project_id, out var id))
        {
            return NotFound($"Project not found: {project_id}");
        }

        var (velocity, note) = await CwayAnalyticsTools.VelocityAsync(cway, history, $"{id}", ct);
        return velocity is not null ? Figures(velocity)
            : note == "Project not found" ? NotFound($"Project not found: {project_id}")
            : NotFound(note ?? "There is no velocity.");
    }

    private static async Task<IResult> UsersAsync(CwayClient cway, CancellationToken ct)
    {
        var (users, _, _) = await CwayUserTools.AllAsync(cway, null, 10_000, ct);
        return Results.Json(new CwayRestUsers([.. users.Select(CwayRestUser.Of)]), JsonSerializerOptions.Web);
    }

    private static async Task<IResult> UserAsync(
        [Description("The user's UUID or username.")] string user_id,
        CwayClient cway,
        CancellationToken ct
    ) =>
        await CwayUserTools.FindAsync(cway, user_id, ct) is { } user
            ? Results.Json(CwayRestUser.Of(user), JsonSerializerOptions.Web)
            : NotFound($"User not found: {user_id}");

    private static async Task<IResult> UserByEmailAsync(
        [Description("The e-mail address.")] string email,
        CwayClient cway,
        CancellationToken ct
    ) =>
        await CwayUserTools.ByEmailAsync(cway, email, ct) is { } user
            ? Results.Json(CwayRestUser.Of(user), JsonSerializerOptions.Web)
            : NotFound($"User not found with email: {email}");

    private static async Task<IResult> StatusAsync(CwayClient cway, TimeProvider time, CancellationToken ct)
    {
        var status = await new CwayTools(cway).GetSystemStatus(ct);
        var timestamp = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", null);
        return Figures(new CwayRestStatus(status.Status, status.Connected, status.ApiUrl, timestamp));
    }

    private static async Task<IResult> TemporalAsync(
        CwayHistoryClient history,
        CancellationToken ct,
        [Description("Count events of so many days, 1 to 3650."), Range(1, 3650)] int analysis_period_days = 90
    ) =>
        analysis_period_days is < 1 or > 3650
            ? Invalid("analysis_period_days must be from 1 to 3650.")
            : Figures(CwayTemporalFigures.Dashboard(await history.LoadAsync(null, ct), analysis_period_days));

    private static async Task<IResult> AlertsAsync(
        CwayHistoryClient history,
        CancellationToken ct,
        [Description("Leave out less urgent ones, 1 to 10."), Range(1, 10)] int min_urgency_score = 5
    ) =>
        min_urgency_score is < 1 or > 10
            ? Invalid("min_urgency_score must be from 1 to 10.")
            : Figures(
                CwayTemporalFigures
                    .Alerts(await history.LoadAsync(null, ct), min_urgency_score)
                    .Select(CwayRestAlert.Of)
            );

    private static IResult Figures(object value) => Results.Json(value, Snake);

    private static IResult NotFound(string detail) => Results.Json(new CwayRestError(detail), statusCode: 404);

    private static IResult Invalid(string detail) => Results.Json(new CwayRestError(detail), statusCode: 422);

    // Every failure is {detail}. What Cway refused is the caller's to know; what failed behind us is 502.
    private static async ValueTask<object?> FailAsync(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        try
        {
            return await next(context);
        }
        catch (McpException refused)
        {
            return Invalid(refused.Message);
        }
        catch (HttpRequestException failed)
        {
            var late = failed.StatusCode is HttpStatusCode.GatewayTimeout;
            return Results.Json(new CwayRestError(failed.Message), statusCode: late ? 504 : 502);
        }
    }

    private static void Described<T>(this RouteHandlerBuilder route, string name, string summary, string description) =>
        route
            .WithName(name)
            .WithSummary(summary)
            .WithDescription(description)
            .Produces<T>()
            .Produces<CwayRestError>(StatusCodes.Status401Unauthorized)
            .Produces<CwayRestError>(StatusCodes.Status404NotFound)
            .Produces<CwayRestError>(StatusCodes.Status422UnprocessableEntity)
            .Produces<CwayRestError>(StatusCodes.Status502BadGateway);

    private static void Describe(OpenApiDocument document)
    {
        document.Info.Title = "Cway MCP REST API";
        document.Info.Version = "1.0.0";
        document.Info.Description = "Projects, users and figures of Cway. Every failure has a detail that says why.";
        document.AddComponent(
            "BearerAuth",
            new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "The API token of Cway (CWAY_API_TOKEN), or a key of this server.",
            }
        );
        document.Security =
        [
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("BearerAuth", document)] = [] },
        ];
    }
}

/// <summary>
/// Whoever sends CWAY_API_TOKEN may call the routes of this family, and nothing else knows this caller. Everybody else
/// is a caller of the server's own, if it knows any: in mode none it admits everybody, so this token is the only key.
/// </summary>
internal sealed class CwayTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    IOptions<CwayOptions> cway,
    IConfiguration configuration
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private const string Bearer = "Bearer ",
        OfServer = "MinimalMcp";

    private readonly bool _isOnlyKey =
        !string.IsNullOrEmpty(cway.Value.Token)
        && (configuration["Auth:Mode"] ?? "none").Equals("none", StringComparison.OrdinalIgnoreCase);

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var sent = Request.Headers.Authorization.ToString();
        var isBearer = sent.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && sent.Length <= 4096;
        if (isBearer && cway.Value.Token is { Length: > 0 } own && AreEqual(sent[Bearer.Length..].Trim(), own))
        {
            var caller = new ClaimsIdentity([new("sub", "cway-token"), new("scope", "mcp:read")], "CwayToken");
            Response.Headers.CacheControl = "no-store";
            return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(caller), Scheme.Name)));
        }

        return !_isOnlyKey ? Context.AuthenticateAsync(OfServer)
            : isBearer ? Task.FromResult(AuthenticateResult.Fail("Invalid authentication token"))
            : Task.FromResult(AuthenticateResult.NoResult());
    }

    // RFC 6750 section 3: the challenge names the scheme, and an error where a token came.
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (!_isOnlyKey)
        {
            return Context.ChallengeAsync(OfServer, properties);
        }

        var sentOne = Request.Headers.Authorization.Count > 0;
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = sentOne ? "Bearer error=\"invalid_token\"" : "Bearer";
        var detail = sentOne
            ? "Invalid authentication token"
            : "Send the API token of Cway as 'Authorization: Bearer TOKEN'.";
        return Response.WriteAsJsonAsync(new CwayRestError(detail));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        _isOnlyKey ? base.HandleForbiddenAsync(properties) : Context.ForbidAsync(OfServer, properties);

    private static bool AreEqual(string sent, string own) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(sent)),
            SHA256.HashData(Encoding.UTF8.GetBytes(own))
        );
}
