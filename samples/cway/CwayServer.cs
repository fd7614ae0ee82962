using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using GraphQL;
using GraphQL.Transport;
using GraphQL.Types;

namespace CwaySample;

/// <summary>
/// A Cway that runs here: its GraphQL API with a seeded workspace, behind a bearer token. It refuses what the schema
/// does not know, and variables that are missing or of another type.
/// </summary>
public sealed class CwayServer : IAsyncDisposable
{
    // A sample that runs for days forgets the oldest.
    private const int MaxRequests = 10_000;

    private readonly WebApplication _app;
    private readonly string _token;
    private int _total;
    private int _running;
    private int _mostAtOnce;

    private CwayServer(WebApplication app, Workspace workspace, string token, TimeSpan latency)
    {
        (_app, Workspace, _token) = (app, workspace, token);
        Faults.Latency = latency;
    }

    /// <summary>The address of the GraphQL API.</summary>
    public Uri Url => new(new Uri(_app.Urls.Single()), "/graphql");

    public string Token => _token;

    public Workspace Workspace { get; }

    public Faults Faults { get; } = new();

    /// <summary>What was asked, in order, also when it was refused; the newest 10,000.</summary>
    public ConcurrentQueue<CwayRequest> Requests { get; } = [];

    /// <summary>How many requests were answered at the same time, at most.</summary>
    public int MostAtOnce => _mostAtOnce;

    public static async Task<CwayServer> StartAsync(
        CwayServerOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        options ??= new();
        var token = options.Token ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var workspace = Seed.Workspace(options);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls(options.Url);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(workspace).AddSingleton<Queries>().AddSingleton<Mutations>();
        builder.Services.AddGraphQL(graphQl =>
            graphQl
                .AddSchema(CwaySchema.Build)
                .AddSystemTextJson()
                .AddErrorInfoProvider<CwayErrors>()
                .AddValidationRule<VariableTypes>()
        );
        var app = builder.Build();
        var server = new CwayServer(app, workspace, token, options.Latency);
        CwaySchema.Guard(app.Services.GetRequiredService<ISchema>(), server.Faults, workspace);
        app.MapPost("/graphql", server.AnswerAsync);
        app.MapGet("/requests", () => Results.Json(new { total = server._total, mostAtOnce = server._mostAtOnce }));
        await app.StartAsync(cancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    internal Task WaitForShutdownAsync() => _app.WaitForShutdownAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        var running = Interlocked.Increment(ref _running);
        InterlockedMax(ref _mostAtOnce, running);
        try
        {
            await AnswerOneAsync(http);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private async Task AnswerOneAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        var request = Read(http.RequestServices.GetRequiredService<IGraphQLTextSerializer>(), body);
        Requests.Enqueue(
            new(
                request?.OperationName,
                request?.Query ?? "",
                body,
                http.Request.Headers.ToDictionary(
                    header => header.Key,
                    header => header.Value.ToString(),
                    StringComparer.OrdinalIgnoreCase
                )
            )
        );
        Interlocked.Increment(ref _total);
        if (Requests.Count > MaxRequests)
        {
            Requests.TryDequeue(out _);
        }

        if (Faults.Latency > TimeSpan.Zero)
        {
            await Task.Delay(Faults.Latency, http.RequestAborted);
        }

        if (Faults.Take() is { } fault)
        {
            await AnswerAsync(http, fault);
        }
        else if (http.Request.Headers.Authorization != $"Bearer {_token}")
        {
            await AnswerAsync(http, Fault.Unauthorized);
        }
        else if (!http.Request.HasJsonContentType() || request?.Query is null)
        {
            await AnswerAsync(http, new(400, """{"message":"The body is not a GraphQL request in JSON"}"""));
        }
        else if (CwaySchema.IsTooLong(request.Query))
        {
            await AnswerAsync(http, CwaySchema.TooLong);
        }
        else
        {
            var result = await http
                .RequestServices.GetRequiredService<IDocumentExecuter>()
                .ExecuteAsync(options =>
                {
                    options.Query = request.Query;
                    options.OperationName = request.OperationName;
                    options.Variables = request.Variables;
                    options.RequestServices = http.RequestServices;
                    options.CancellationToken = http.RequestAborted;
                });
            http.Response.ContentType = "application/json"; // and 200, also for what was refused
            var serializer = http.RequestServices.GetRequiredService<IGraphQLSerializer>();
            await serializer.WriteAsync(http.Response.Body, result, http.RequestAborted);
        }
    }

    private static GraphQLRequest? Read(IGraphQLTextSerializer serializer, string body)
    {
        try
        {
            return serializer.Deserialize<GraphQLRequest>(body);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static Task AnswerAsync(HttpContext http, Fault fault)
    {
        if (fault.IsCut)
        {
            http.Abort();
            return Task.CompletedTask;
        }

        http.Response.StatusCode = fault.Status;
        http.Response.ContentType = fault.ContentType;
        if (fault.Status == 401)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
        }

        if (fault.RetryAfter is { } wait)
        {
            http.Response.Headers.RetryAfter = $"{(int)Math.Ceiling(wait.TotalSeconds)}";
        }

        return http.Response.WriteAsync(fault.Body, http.RequestAborted);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while ((seen = most) < value && Interlocked.CompareExchange(ref most, value, seen) != seen) { }
    }
}

/// <summary>One request as it came.</summary>
public sealed record CwayRequest(
    string? OperationName,
    string Query,
    string Body,
    IReadOnlyDictionary<string, string> Headers
);
