using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Documents;

/// <summary>
/// The two tools that ChatGPT's deep research and company knowledge expect of a server, in exactly the shape that they
/// read.
/// </summary>
[McpServerToolType]
internal sealed partial class DocumentsTools(
    IEnumerable<ToolType> types,
    ToolRegistry registry,
    IServiceProvider services,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<DocumentsTools> logger
)
{
    private const int PerFamily = 10,
        MaxWords = 6;

    // Questions are written in sentences; these words say nothing about the document.
    private static readonly HashSet<string> StopWords = new(
        (
            "a about all an and any are as at be been but by can could did do does for from get give had has have how i"
            + " if in into is it its me my of on or our please she show so some tell than that the their them there"
            + " these they this those to us was we were what when where which who whom whose why will with would you"
            + " your"
        ).Split(' '),
        StringComparer.OrdinalIgnoreCase
    );

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
    private DocumentSource[] Sources => [.. _sources.Value.Where(source => source.IsOpen(registry.Current))];

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
        "Search all systems of this server at once (notes, tasks, dashboards, stacks, products). Returns id, title and"
            + " link of each document, those with most of the words first. Read one by passing its id to fetch. To"
            + " search one system with filters, use its own search tool."
    )]
    public async Task<DocumentResults> SearchAsync(
        [Description("Words or a question, 1 to 200 characters. For example `where is the leaking roof?`.")]
        [StringLength(200, MinimumLength = 1)]
            string query,
        IProgress<ProgressNotificationValue> progress,
        CancellationToken ct = default
    )
    {
        var sources = Searched();
        var queries = Queries(query);
        var step = progress.Steps(sources.Length);
        var found = await Task.WhenAll(
            sources.Select(async source =>
            {
                var family = await SearchAsync(source, queries, ct);
                step($"Searched {source.Family}");
                return family;
            })
        );
        var failures = found.Where(family => family.Failure is not null).Select(family => family.Failure!).ToArray();
        if (failures.Length > 0 && failures.Length == found.Length && found.All(family => family.Documents.Length == 0))
        {
            throw new HttpRequestException(string.Join(' ', failures));
        }

        // Most words first. Among as many, the best of each family comes first, then the second best of each.
        var merged = found
            .SelectMany(family => family.Documents)
            .OrderByDescending(document => document.Score)
            .ThenBy(document => document.Rank)
            .Select(document => document.Found);
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
    [Description(
        "Read one document that search found. Returns its text, title and link. The text of a long document comes in"
            + " parts; each ends with the id of the next one."
    )]
    public async Task<Document> FetchAsync(
        [Description("Id of the document, exactly as search or an earlier part gave it. Its family comes first.")]
        [StringLength(600, MinimumLength = 1)]
            string id,
        CancellationToken ct = default
    )
    {
        var (whole, number) = Part(id);
        var (family, own) = whole.Split(':', 2) is [var before, var after] ? (before, after) : ("", whole);
        var source = Sources.FirstOrDefault(source => source.Family == family);
        if (source is null)
        {
            var known = string.Join(" or ", Searched().Select(one => one.Family + ":"));
            throw new McpException($"'{id}' is not an id of search. Ids begin with {known}. Use search to find one.");
        }

        var document = await source.FetchAsync(own, ct)
            ?? throw new McpException($"There is no document '{id}' any more. Use search to find what there is.");
        return document with
        {
            Id = id,
            Title = Titled(document.Title, whole),
            Text = PartOf(document.Text ?? "", whole, number),
            Url = Absolute(document.Url),
        };
    }

    // The products of the sample shop are no answer beside what somebody has configured.
    private DocumentSource[] Searched()
    {
        var sources = Sources;
        return
            string.IsNullOrEmpty(configuration[$"{DocumentsSetup.Sample}:Url"])
            && sources.Any(source => !IsSample(source))
            ? [.. sources.Where(source => !IsSample(source))]
            : sources;
    }

    private static bool IsSample(DocumentSource source) =>
        source.Family.Equals(DocumentsSetup.Sample, StringComparison.OrdinalIgnoreCase);

    // All the words that matter at once, and then each of them: what has most of them is what was meant.
    private static string[] Queries(string query)
    {
        var words = query
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => Ends().Replace(word, ""))
            .Where(word => word.Length > 0 && !StopWords.Contains(word))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Take(MaxWords)
            .ToArray();
        return words.Length switch
        {
            0 => [query.Trim()],
            1 => words,
            _ => [string.Join(' ', words), .. words],
        };
    }

    private async Task<(ScoredDocument[] Documents, string? Failure)> SearchAsync(
        DocumentSource source,
        string[] queries,
        CancellationToken ct
    )
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        var found = new Dictionary<string, (FoundDocument Document, int Score)>(StringComparer.Ordinal);
        string? failure = null;
        try
        {
            foreach (var query in queries)
            {
                var isAll = query == queries[0];
                foreach (var one in (await source.SearchAsync(query, either.Token)).Take(PerFamily))
                {
                    var id = $"{source.Family}:{one.Id}";
                    var (known, score) = found.GetValueOrDefault(id);
                    known ??= new(id, Titled(one.Title, one.Id), Absolute(one.Url));
                    found[id] = (known, isAll ? queries.Length : Math.Min(score + 1, queries.Length));
                }

                if (isAll && found.Count >= PerFamily)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            failure = "it did not answer in time";
        }
        catch (Exception problem) when (problem is McpException or HttpRequestException)
        {
            failure = problem.Message;
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            LogFailed(logger, problem, source.Family);
            failure = "it failed unexpectedly, and the operator finds the reason in the log";
        }

        var best = found
            .Values.OrderByDescending(one => one.Score)
            .Take(PerFamily)
            .GroupBy(one => one.Score)
            .SelectMany(group => group.Select((one, rank) => new ScoredDocument(one.Document, one.Score, rank)))
            .ToArray();
        var what = best.Length > 0 ? "was searched in part" : "is left out";
        return (best, failure is null ? null : $"{source.Family} {what}: {failure.TrimEnd('.')}.");
    }

    private static (string Id, int Number) Part(string id) =>
        Numbered().Match(id) is { Success: true } match
        && int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture) is > 0 and var number
            ? (match.Groups[1].Value, number)
            : (id, 1);

    // Below the limit of an answer, with room for its other members.
    private string PartOf(string text, string id, int number)
    {
        var limit = configuration.GetValue("Tools:MaxResultCharacters", ResultLimit.DefaultCharacters);
        var room = Math.Max(1000, limit - 4000);
        var rest = text;
        for (var skipped = 1; skipped < number && rest.Length > 0; skipped++)
        {
            rest = rest[ResultLimit.Fitting(rest, room)..];
        }

        if (rest.Length == 0 && number > 1)
        {
            throw new McpException($"The document has fewer than {number} parts. Fetch '{id}' for the first one.");
        }

        var length = ResultLimit.Fitting(rest, room);
        return length == rest.Length
            ? rest
            : $"{rest[..length]}\n\n[This is part {number}. Fetch \"{id}#part={number + 1}\" for the next part.]";
    }

    private static string Titled(string? title, string id) => string.IsNullOrWhiteSpace(title) ? id : title;

    // A family without pages of its own gives a path of this server, or a resource of its own. Over stdio there is no
    // page, and the client reads the resource; over HTTP a person opens the start page instead.
    private string Absolute(string? url)
    {
        var isAbsolute = Uri.TryCreate(url, UriKind.Absolute, out var absolute) && !absolute.IsFile;
        if (isAbsolute && (absolute!.Scheme is "http" or "https"))
        {
            return url!;
        }

        var known = configuration["Server:PublicUrl"];
        if (isAbsolute && string.IsNullOrEmpty(known) && configuration["mode"] is "stdio")
        {
            return url!.Split('?')[0];
        }

        var server = !string.IsNullOrEmpty(known)
            ? known
            : services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
                ?? $"http://127.0.0.1:{configuration["Server:Port"] ?? "3001"}";
        return $"{server.TrimEnd('/')}/{(isAbsolute ? absolute!.Query : url?.TrimStart('/'))}";
    }

    // Punctuation around a word, as in "(roof)?"; a dot or a hyphen within stays.
    [GeneratedRegex(@"^[\p{P}\p{S}]+|[\p{P}\p{S}]+$")]
    private static partial Regex Ends();

    [GeneratedRegex(@"^(.+)#part=([0-9]{1,6})$", RegexOptions.Singleline)]
    private static partial Regex Numbered();

    [LoggerMessage(LogLevel.Error, "Document search failed unexpectedly {Family}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string family);

    private sealed record ScoredDocument(FoundDocument Found, int Score, int Rank);
}
