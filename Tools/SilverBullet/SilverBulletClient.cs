using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>
/// The files of a space over SilverBullet's own HTTP API (2.x). It has no ETag and no conditional write: PUT always overwrites, so what must
/// not be lost is looked at before. Between the look and the write somebody may still be faster.
/// </summary>
public sealed class SilverBulletClient(IOptions<SilverBulletOptions> options, IHttpClientFactory http) : IHealthCheck
{
    private readonly string _home = (
        string.IsNullOrEmpty(options.Value.PublicUrl) ? options.Value.Url! : options.Value.PublicUrl
    ).TrimEnd('/');

    public string LinkTo(string page) => $"{_home}/{Escape(page)}";

    /// <summary>The pages, last changed first. Unless all are asked for, without those that came with SilverBullet or that nobody can change.</summary>
    public async Task<SpaceFile[]> PagesAsync(bool all, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Get, ".fs", ct) ?? throw Unreadable("no list of files");
        SpaceFile[] files;
        try
        {
            files = JsonSerializer.Deserialize<SpaceFile[]>(answer.Text, JsonSerializerOptions.Web) ?? [];
        }
        catch (JsonException)
        {
            throw Unreadable("something that is not a list of files");
        }

        var pages = files
            .Where(file => file?.Name is { Length: > 3 } name && name.EndsWith(".md", StringComparison.Ordinal))
            .OrderByDescending(file => file.LastModified)
            .Select(file => file with { Name = file.Name[..^3] })
            .ToArray();
        var own = pages
            .Where(file =>
                !file.Name.StartsWith("Library/Std/", StringComparison.Ordinal)
                && !file.Name.StartsWith("_plug/", StringComparison.Ordinal)
            )
            .ToArray();
        var changeable = own.Where(file => file.Perm == "rw").ToArray();
        return all ? pages
            : changeable.Length > 0 ? changeable
            : own; // a space that is read-only as a whole still has pages
    }

    /// <summary>Null when there is no such page.</summary>
    public Task<Answer?> ReadAsync(string page, CancellationToken ct, bool metaOnly = false) =>
        SendAsync(HttpMethod.Get, PathOf(page), ct, metaOnly: metaOnly);

    public async Task<Answer> WriteAsync(string page, string content, CancellationToken ct) =>
        await SendAsync(HttpMethod.Put, PathOf(page), ct, content)
        ?? throw Unreadable($"404 to the writing of '{page}'");

    public async Task<bool> DeleteAsync(string page, CancellationToken ct) =>
        await SendAsync(HttpMethod.Delete, PathOf(page), ct) is not null;

    /// <summary>/.config wants our credentials, unlike /.ping. The API tells no version.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            using var config = JsonDocument.Parse(
                (await SendAsync(HttpMethod.Get, ".config", cancellationToken))?.Text ?? ""
            );
            var readOnly =
                config.RootElement.TryGetProperty("readOnly", out var value) && value.ValueKind is JsonValueKind.True;
            return HealthCheckResult.Healthy(
                readOnly ? "The space is read-only." : null,
                new Dictionary<string, object> { ["authorised"] = true }
            );
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            return HealthCheckResult.Degraded(
                e.Message,
                data: new Dictionary<string, object> { ["authorised"] = false }
            );
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException)
        {
            return HealthCheckResult.Unhealthy(
                e is HttpRequestException ? e.Message : Unreadable("no configuration").Message
            );
        }
    }

    private static string PathOf(string page) => $".fs/{Escape(page)}.md";

    // A slash separates folders and stays; everything else that means something in an address does not.
    private static string Escape(string page) => string.Join('/', page.Split('/').Select(Uri.EscapeDataString));

    private async Task<Answer?> SendAsync(
        HttpMethod method,
        string path,
        CancellationToken ct,
        string? content = null,
        bool metaOnly = false
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = content is null ? null : new StringContent(content, Encoding.UTF8, "text/markdown");
        if (metaOnly)
        {
            request.Headers.Add("X-Get-Meta", "true");
        }

        using var response = await http.CreateClient(nameof(SilverBulletClient)).SendAsync(request, ct);
        var text = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(ct));
        var (lastModified, permission) = (
            long.TryParse(Header(response, "X-Last-Modified"), out var time) ? time : (long?)null,
            Header(response, "X-Permission")
        );
        if (response.IsSuccessStatusCode)
        {
            return IsWebPage(response, text)
                ? throw Unreadable("a web page, perhaps a login page,", method)
                : new(text, lastModified, permission != "rw");
        }

        return response.StatusCode is HttpStatusCode.NotFound && !IsWebPage(response, text)
            ? null
            : throw Failed(method, response, IsWebPage(response, text) ? "" : Excerpt(text));
    }

    // Paths that the server does not know, and login pages of a proxy, are 200 with HTML. A page of the space may begin like HTML, but says when it was changed.
    private static bool IsWebPage(HttpResponseMessage response, string text) =>
        response.Content.Headers.ContentType?.MediaType == "text/html"
        || (
            Header(response, "X-Last-Modified") is null
            && text.AsSpan().TrimStart() is var start
            && (
                start.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
                || start.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            )
        );

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private static HttpRequestException Unreadable(string what, HttpMethod? method = null) =>
        new(
            $"SilverBullet sent {what} where its API was asked. Check SilverBullet:Url (with the prefix of the space), SilverBullet:Token and what stands in front of the server.{Doubt(method)}",
            null,
            HttpStatusCode.BadGateway
        );

    private static Exception Failed(HttpMethod method, HttpResponseMessage response, string said)
    {
        var (status, writes) = ((int)response.StatusCode, method != HttpMethod.Get);
        var answered = said.Length > 0 ? $"SilverBullet answered {status} ({said})" : $"SilverBullet answered {status}";
        return status switch
        {
            401 => new HttpRequestException(
                $"{answered}: it does not accept our token. Check SilverBullet:Token.",
                null,
                response.StatusCode
            ),
            403 when writes => new McpException(
                $"{answered} and changed nothing: the page, or the whole space, is read-only."
            ),
            403 => new HttpRequestException(
                $"{answered}: our token may not read this. Check SilverBullet:Token.",
                null,
                response.StatusCode
            ),
            409 or 412 => new McpException(
                $"{answered}: somebody else changed the page. Read it again with silverbullet_get_page, and repeat the change on what it says now."
            ),
            413 => new McpException($"{answered}: the content is too large. Split it into several pages."),
            429 => new HttpRequestException(
                $"{answered}: too many requests. Try again {Later(response)}.",
                null,
                response.StatusCode
            ),
            >= 500 when writes => new HttpRequestException(
                $"{answered}. Before version 2.10 that also means that the page is read-only.{Doubt(method)}",
                null,
                response.StatusCode
            ),
            >= 500 => new HttpRequestException(
                $"{answered}. Try again later, and ask the operator to look at its log.",
                null,
                response.StatusCode
            ),
            400 or 422 => new McpException($"{answered}. Correct the arguments."),
            _ => new HttpRequestException($"{answered}. Check SilverBullet:Url.", null, response.StatusCode),
        };
    }

    // Its reasons are plain text.
    private static string Excerpt(string text)
    {
        var plain = string.Concat(text.Trim().TrimEnd('.').Where(letter => !char.IsControl(letter)));
        return plain.Length > 200 ? plain[..200] + "…" : plain;
    }

    private static string Later(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta is { } delta ? $"in {delta.TotalSeconds:0} seconds" : "in a minute";

    private static string Doubt(HttpMethod? method) =>
        method is null || method == HttpMethod.Get
            ? ""
            : " The change may have been made all the same: read the page before trying again.";

    /// <param name="IsReadOnly">The server assumes it where it does not say.</param>
    public sealed record Answer(string Text, long? LastModified, bool IsReadOnly);
}

public sealed record SpaceFile(string Name, long LastModified, long Size, string? Perm);

/// <summary>
/// SilverBullet has no search in its API, so the pages themselves are read: the last changed ones first, within bounds, and each again only
/// after it was changed.
/// </summary>
public sealed class SilverBulletSearch(SilverBulletClient client, TimeProvider time)
{
    private const int MaxPages = 2000,
        MaxBytes = 20_000_000,
        MaxBytesOfPage = 2_000_000,
        AtOnce = 8,
        MaxFailures = 3,
        SnippetLength = 200;

    // Below the deadline of a call: what was found by then is given.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    private IReadOnlyDictionary<string, (long LastModified, string Text)> _read =
        new Dictionary<string, (long, string)>();

    public async Task<SearchResult> FindAsync(string query, int limit, CancellationToken ct)
    {
        var words = query.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var pages = await client.PagesAsync(all: false, ct);
        var (texts, failure) = await ReadAsync(pages, ct);
        var found =
            from page in pages
            let text = texts.TryGetValue(page.Name, out var read) ? read.Text : ""
            where words.All(word => Contains(page.Name, word) || Contains(text, word))
            orderby words.Count(word => Contains(page.Name, word)) descending // and then the last changed, in whose order they come
            select Match(page, text, words);
        var all = found.ToArray();
        var left = pages.Length - texts.Count;
        var note =
            left == 0
                ? null
                : $"{left} of {pages.Length} pages were compared by name only{(failure is null ? ", because there are too many or they are too large" : $". {failure}")}.";
        return new(all.Length, [.. all.Take(limit)], note);
    }

    private async Task<(
        IReadOnlyDictionary<string, (long LastModified, string Text)> Texts,
        string? Failure
    )> ReadAsync(SpaceFile[] pages, CancellationToken ct)
    {
        var (known, texts) = (_read, new ConcurrentDictionary<string, (long, string)>());
        var room = (long)MaxBytes;
        var wanted = pages
            .Take(MaxPages)
            .Where(page => page.Size <= Math.Min(room, MaxBytesOfPage) && (room -= page.Size) >= 0)
            .ToArray();
        var failures = new ConcurrentQueue<string>();
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            await Parallel.ForEachAsync(
                wanted,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = either.Token },
                async (page, stop) =>
                {
                    if (known.TryGetValue(page.Name, out var before) && before.LastModified == page.LastModified)
                    {
                        texts[page.Name] = before;
                    }
                    else
                    {
                        try
                        {
                            texts[page.Name] = (
                                page.LastModified,
                                (await client.ReadAsync(page.Name, stop))?.Text ?? ""
                            ); // null: it was deleted meanwhile
                        }
                        catch (HttpRequestException e) when (failures.Count < MaxFailures)
                        {
                            failures.Enqueue(e.Message.TrimEnd('.'));
                        }
                    }
                }
            );
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            failures.Enqueue("The time was not enough for all of them");
        }
        catch (HttpRequestException) when (!texts.IsEmpty)
        {
            // Several pages could not be read, and the others are given.
        }

        // What one search did not get to is kept for the next, which then gets further.
        _read = pages
            .Select(page => (page.Name, Text: texts.GetValueOrDefault(page.Name, known.GetValueOrDefault(page.Name))))
            .Where(page => page.Text.Item2 is not null)
            .Take(MaxPages)
            .ToDictionary(page => page.Name, page => page.Text);
        return (texts, failures.FirstOrDefault());
    }

    private static FoundPage Match(SpaceFile page, string text, string[] words)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            foreach (var word in words)
            {
                if (line.IndexOf(word, StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
                {
                    return new(page.Name, page.LastModified, number, Around(line, at));
                }
            }
        }

        return new(page.Name, page.LastModified);
    }

    private static string Around(ReadOnlySpan<char> line, int at)
    {
        var start = Math.Max(0, Math.Min(at - (SnippetLength / 4), line.Length - SnippetLength));
        var piece = line.Slice(start, Math.Min(SnippetLength, line.Length - start)).Trim();
        return $"{(start > 0 ? "…" : "")}{piece}{(start + SnippetLength < line.Length ? "…" : "")}";
    }

    private static bool Contains(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
}
