using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Documents;

/// <summary>The two tools that ChatGPT's deep research and company knowledge want of a server, in exactly the shape that they read.</summary>
[McpServerToolType]
public sealed partial class DocumentsTools(
    IEnumerable<ToolType> types,
    ToolRegistry registry,
    IServiceProvider services,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<DocumentsTools> logger
)
{
    private const int PerFamily = 10;

    // One family that hangs must not hold up what the others found until the deadline of the call.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Lazy<DocumentSource[]> _sources = new(() =>
        [
            .. types
                .Select(type => type.Type)
                .Where(DocumentSource.IsIn)
                .Select(type => DocumentSource.Of(type, services)),
        ]
    );

    // An operator who denied what shows a document, or has it approved, did not mean to leave it open here.
    private IEnumerable<DocumentSource> Sources => _sources.Value.Where(source => source.IsOpen(registry.Current));

    [McpServerTool(
        Name = "search",
        Title = "Search everything",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Looks in all systems of this server at once (notes, tasks, products, ...) and gives id, title and link of what it finds. Pass an id to fetch to read it."
    )]
    public async Task<DocumentResults> SearchAsync(
        [Description("Words to look for, for example \"backup restore\"."), StringLength(200, MinimumLength = 1)]
            string query,
        IProgress<ProgressNotificationValue> progress,
        CancellationToken ct = default
    )
    {
        var sources = Sources.ToArray();
        var step = progress.Steps(sources.Length);
        var found = await Task.WhenAll(
            sources.Select(async source =>
            {
                var family = await SearchAsync(source, query, ct);
                step($"Searched {source.Family}");
                return family;
            })
        );
        var failures = found.Where(family => family.Failure is not null).Select(family => family.Failure!).ToArray();
        if (failures.Length > 0 && failures.Length == found.Length)
        {
            throw new HttpRequestException(string.Join(' ', failures));
        }

        // The best of each family first, then the second best of each.
        var merged = Enumerable
            .Range(0, PerFamily)
            .SelectMany(rank =>
                found.Where(family => family.Documents.Count > rank).Select(family => family.Documents[rank])
            );
        return new([.. merged], failures.Length > 0 ? string.Join(' ', failures) : null);
    }

    [McpServerTool(
        Name = "fetch",
        Title = "Fetch a document",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Gives the whole text of one thing that search found, with its link.")]
    public async Task<Document> FetchAsync(
        [Description("An id of search, for example \"vikunja:task/12\"."), StringLength(600, MinimumLength = 1)]
            string id,
        CancellationToken ct = default
    )
    {
        var (family, own) = id.Split(':', 2) is [var before, var after] ? (before, after) : ("", id);
        var source = Sources.FirstOrDefault(source => source.Family == family)
            ?? throw new McpException(
                $"'{id}' is not an id of search. Ids begin with {string.Join(" or ", Sources.Select(known => known.Family + ":"))}."
            );
        var document = await source.FetchAsync(own, ct)
            ?? throw new McpException($"There is no document '{id}' any more. Use search to find what there is.");

        // Below the limit of an answer with room for the other members, so that a long text is cut and not refused.
        var room = Math.Max(
            1000,
            configuration.GetValue("Tools:MaxResultCharacters", ResultLimit.DefaultCharacters) - 4000
        );
        return document with
        {
            Id = id,
            Title = Titled(document.Title, id),
            Text = ResultLimit.Cut(document.Text ?? "", room),
            Url = Absolute(document.Url),
        };
    }

    private async Task<(IReadOnlyList<FoundDocument> Documents, string? Failure)> SearchAsync(
        DocumentSource source,
        string query,
        CancellationToken ct
    )
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            var found = await source.SearchAsync(query, either.Token);
            return (
                [
                    .. found
                        .Take(PerFamily)
                        .Select(one => new FoundDocument(
                            $"{source.Family}:{one.Id}",
                            Titled(one.Title, one.Id),
                            Absolute(one.Url)
                        )),
                ],
                null
            );
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return ([], $"{source.Family} did not answer in time and is left out.");
        }
        catch (Exception failure) when (failure is McpException or HttpRequestException)
        {
            return ([], $"{source.Family} is left out: {failure.Message}");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailed(logger, failure, source.Family);
            return ([], $"{source.Family} failed unexpectedly and is left out.");
        }
    }

    private static string Titled(string? title, string id) => string.IsNullOrWhiteSpace(title) ? id : title;

    // A family without pages of its own gives a path of this server.
    private string Absolute(string? url)
    {
        if (Uri.TryCreate(url, UriKind.Absolute, out var absolute) && absolute.Scheme is "http" or "https")
        {
            return url!;
        }

        var server = configuration["Server:PublicUrl"] is { Length: > 0 } known
            ? known
            : services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
                ?? $"http://127.0.0.1:{configuration["Server:Port"] ?? "3001"}";
        return $"{server.TrimEnd('/')}/{url?.TrimStart('/')}";
    }

    [LoggerMessage(LogLevel.Error, "The documents of {Family} could not be searched")]
    private static partial void LogFailed(ILogger logger, Exception exception, string family);
}
