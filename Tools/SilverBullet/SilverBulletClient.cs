using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;

namespace MinimalMcp.Tools.SilverBullet;

/// <summary>
/// The files of a space over SilverBullet's HTTP API (2.x). The API has no ETag and no conditional write: PUT always
/// overwrites, and it empties the file before it fills it. So changes of one page take turns, look before they write,
/// and are read back. An edit in a browser can still come in between; the read-back notices it.
/// </summary>
internal sealed class SilverBulletClient(
    IOptions<SilverBulletOptions> options,
    IHttpClientFactory http,
    PartitionedRateLimiter<string> turns,
    TimeProvider time
) : IHealthCheck
{
    // A page is held in memory while it is changed.
    private const int MaxPageBytes = 16 << 20,
        MaxReasonBytes = 2000;

    private static readonly TimeSpan WriteSettles = TimeSpan.FromMilliseconds(200);
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    // Outgoing requests have a size limit unless their answer is read piece by piece.
    private static readonly HttpRequestOptionsKey<bool> Streamed = new("Streamed");

    private readonly string _home = (
        string.IsNullOrEmpty(options.Value.PublicUrl) ? options.Value.Url! : options.Value.PublicUrl
    ).TrimEnd('/');

    public string LinkTo(string page) => $"{_home}/{Escape(page)}";

    /// <summary>
    /// The pages, last changed first. Unless all are asked for, without those that came with SilverBullet or that
    /// nobody can change.
    /// </summary>
    public async Task<SpaceFile[]> PagesAsync(bool all, CancellationToken ct)
    {
        var files = await SendAsync(HttpMethod.Get, ".fs", ReadFilesAsync, ct) ?? throw Unreadable("no list of files");
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

    /// <summary>
    /// The page that is meant: the one of exactly this name, and then the one without ".md", brackets or spaces around.
    /// Only that it exists is not certain.
    /// </summary>
    public async Task<string> ResolveAsync(string name, CancellationToken ct)
    {
        var candidates = PageName.Candidates(name);
        foreach (var candidate in candidates.SkipLast(1))
        {
            if (await DescribeAsync(candidate, ct) is not null)
            {
                return candidate;
            }
        }

        return candidates[^1];
    }

    /// <summary>Some of the characters of a page of any size. Null when there is no such page.</summary>
    public Task<PagePart?> ReadPartAsync(string page, int offset, int count, CancellationToken ct) =>
        SendAsync(
            HttpMethod.Get,
            PathOf(page),
            async (response, stop) =>
            {
                using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop), Encoding.UTF8);
                var (part, buffer, total) = (new StringBuilder(), new char[16 << 10], 0L);
                while (await reader.ReadAsync(buffer, stop) is > 0 and var read)
                {
                    RequirePage(response, total == 0 ? buffer.AsSpan(0, read) : []);
                    var from = (int)Math.Clamp(offset - total, 0, read);
                    var to = (int)Math.Clamp((long)offset + count - total, from, read);
                    part.Append(buffer, from, to - from);
                    total += read;
                }

                var (lastModified, isReadOnly) = Description(response);
                return new PagePart(part.ToString(), total, lastModified, isReadOnly);
            },
            ct
        );

    /// <summary>A page as its bytes. Null when there is no such page.</summary>
    public Task<PageBytes?> ReadAsync(string page, CancellationToken ct) =>
        SendAsync(
            HttpMethod.Get,
            PathOf(page),
            async (response, stop) =>
            {
                await using var body = await response.Content.ReadAsStreamAsync(stop);
                using var bytes = new MemoryStream();
                var buffer = new byte[64 << 10];
                while (await body.ReadAsync(buffer, stop) is > 0 and var read)
                {
                    bytes.Write(buffer, 0, read);
                    if (bytes.Length > MaxPageBytes)
                    {
                        throw new McpException(
                            $"'{page}' is larger than {MaxPageBytes >> 20} MiB, and nothing was changed."
                                + " Read it in parts with silverbullet_get_page, and edit it in SilverBullet."
                        );
                    }
                }

                var content = bytes.ToArray();
                RequirePage(response, Encoding.UTF8.GetString(content.AsSpan(0, Math.Min(content.Length, 200))));
                var (lastModified, isReadOnly) = Description(response);
                return new PageBytes(content, lastModified, isReadOnly);
            },
            ct
        );

    /// <summary>Writes a page that is not there yet. Null when there is one, and nothing was written.</summary>
    public async Task<PageChange?> CreateAsync(string page, string content, CancellationToken ct)
    {
        using var turn = await TurnAsync(page, ct);
        var bytes = Encoding.UTF8.GetBytes(content);
        return await DescribeAsync(page, ct) is null ? await WriteAsync(page, bytes, bytes, ct) : null;
    }

    /// <summary>Replaces a page, or adds to it. Null when there is no such page.</summary>
    public async Task<PageChange?> UpdateAsync(
        string page,
        UpdateMode mode,
        string text,
        long? expectedLastModified,
        CancellationToken ct
    )
    {
        using var turn = await TurnAsync(page, ct);
        var before = mode is UpdateMode.Replace ? await DescribeAsync(page, ct) : await ReadSettledAsync(page, ct);
        if (before is null)
        {
            return null;
        }

        RequireChangeable(page, before);
        if (expectedLastModified is { } expected && before.LastModified != expected)
        {
            throw new McpException(
                $"'{page}' was changed since you read it, and nothing was written: its lastModified is"
                    + $" {before.LastModified?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}, and"
                    + $" expected_last_modified is {expected}. Read it again with silverbullet_get_page."
            );
        }

        var own = Encoding.UTF8.GetBytes(text);
        var content = mode is UpdateMode.Replace ? own : Joined(page, before.Bytes, own, mode);
        return await WriteAsync(page, content, own, ct);
    }

    /// <summary>Deletes a page, and gives its size and its first line. Null when there is no such page.</summary>
    public async Task<DeletedPage?> DeleteAsync(string page, CancellationToken ct)
    {
        using var turn = await TurnAsync(page, ct);
        if (await ReadPartAsync(page, 0, 200, ct) is not { } before)
        {
            return null;
        }

        RequireChangeable(page, before);
        if (await SendAsync(HttpMethod.Delete, PathOf(page), ReadDescriptionAsync, ct) is null)
        {
            return null;
        }

        var firstLine = new string([.. before.Text.TakeWhile(letter => letter is not ('\n' or '\r'))]);
        string? note;
        try
        {
            note = await DescribeAsync(page, ct) is null
                ? null
                : "A page of this name is there again: somebody else saved it at the same moment.";
        }
        catch (Exception failure) when (IsAfterwards(failure))
        {
            note = $"The page was deleted. Whether it is gone could not be checked: {failure.Message}";
        }

        return new(page, before.Total, firstLine, note);
    }

    /// <summary>/.config needs the credentials, unlike /.ping. The API does not give a version.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            return HealthCheckResult.Healthy(
                await IsSpaceReadOnlyAsync(cancellationToken)
                    ? "The space is read-only: pages can be read and searched, not changed."
                    : null,
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
        catch (HttpRequestException e)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }

    // Changes of one page happen one after the other, in this process and on all replicas.
    private async Task<RateLimitLease> TurnAsync(string page, CancellationToken ct)
    {
        var turn = await turns.AcquireAsync($"silverbullet/{page}", 1, ct);
        if (turn.IsAcquired)
        {
            return turn;
        }

        turn.Dispose();
        throw new McpException(
            $"Other changes of '{page}' are in progress, and nothing was written. Try again in a few seconds."
        );
    }

    // A page that is empty may be one that somebody else is writing at this moment.
    private async Task<PageBytes?> ReadSettledAsync(string page, CancellationToken ct)
    {
        var content = await ReadAsync(page, ct);
        if (content is not { Bytes.Length: 0 })
        {
            return content;
        }

        await Task.Delay(WriteSettles, time, ct);
        return await ReadAsync(page, ct);
    }

    private async Task<PageChange> WriteAsync(string page, byte[] content, byte[] own, CancellationToken ct)
    {
        var written = await SendAsync(HttpMethod.Put, PathOf(page), ReadDescriptionAsync, ct, content)
            ?? throw Unreadable($"404 to the writing of '{page}'", HttpMethod.Put);
        PageBytes? now;
        try
        {
            now = content.Length == 0 ? await ReadAsync(page, ct) : await ReadSettledAsync(page, ct);
        }
        catch (Exception failure) when (IsAfterwards(failure))
        {
            var note = $"The page was written. It could not be read back to check it: {failure.Message}";
            return new(page, written.LastModified, note);
        }

        return now is null
                ? throw new McpException(
                    $"'{page}' was written, and somebody else deleted or renamed it at the same moment."
                        + " Look for it with silverbullet_list_pages, then try again."
                )
            : now.Bytes.AsSpan().SequenceEqual(content) ? new(page, now.LastModified)
            : own.Length > 0 && now.Bytes.AsSpan().IndexOf(own) >= 0
                ? new(page, now.LastModified, "Somebody else changed the page right afterwards; this change is in it.")
            : throw new McpException(
                $"Somebody else saved '{page}' at the same moment, and this change is not in it."
                    + " Read it with silverbullet_get_page, then try again."
            );
    }

    // After a change that SilverBullet confirmed, nothing that fails makes it a failure.
    private static bool IsAfterwards(Exception failure) =>
        failure is HttpRequestException or McpException or OperationCanceledException;

    private static byte[] Joined(string page, byte[] before, byte[] added, UpdateMode mode)
    {
        if (!IsUtf8(before))
        {
            throw new McpException(
                $"'{page}' is not UTF-8 text, and adding to it would damage it. Nothing was written."
                    + " Replace the whole page, or convert it to UTF-8 in SilverBullet first."
            );
        }

        if (before.Length + added.Length > MaxPageBytes)
        {
            throw new McpException(
                $"'{page}' would be larger than {MaxPageBytes >> 20} MiB. Nothing was written; use another page."
            );
        }

        var (first, second) = mode is UpdateMode.Append ? (before, added) : (added, before[HeadLength(before)..]);
        byte[] joined = first is [] or [.., (byte)'\n'] ? [.. first, .. second] : [.. first, (byte)'\n', .. second];
        if (mode is UpdateMode.Append)
        {
            return joined;
        }

        var head = before.AsSpan(0, HeadLength(before));
        return head is [] || head[^1] == '\n' || head.SequenceEqual(ByteOrderMark)
            ? [.. head, .. joined]
            : [.. head, (byte)'\n', .. joined];
    }

    // What must stay at the beginning of a page: a byte-order mark, and the frontmatter between two lines of ---.
    private static int HeadLength(ReadOnlySpan<byte> page)
    {
        var start = page.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        var at = start;
        for (var line = 0; at < page.Length; line++)
        {
            var end = page[at..].IndexOf((byte)'\n') is >= 0 and var length ? at + length + 1 : page.Length;
            var isFence = page[at..end].TrimEnd("\r\n \t"u8).SequenceEqual("---"u8);
            if (line == 0 && !isFence)
            {
                return start;
            }

            if (line > 0 && isFence)
            {
                return end;
            }

            at = end;
        }

        return start;
    }

    private static bool IsUtf8(byte[] bytes) => Utf8.IsValid(bytes);

    private static void RequireChangeable(string page, PageDescription description)
    {
        if (description.IsReadOnly)
        {
            throw new McpException(
                $"'{page}' is read-only in SilverBullet, and nothing was changed. Copy its text to a new page instead."
            );
        }
    }

    private Task<PageBytes?> DescribeAsync(string page, CancellationToken ct) =>
        SendAsync(HttpMethod.Get, PathOf(page), ReadDescriptionAsync, ct, metaOnly: true);

    private async Task<bool> IsSpaceReadOnlyAsync(CancellationToken ct)
    {
        var text = await SendAsync(
            HttpMethod.Get,
            ".config",
            (response, stop) => response.Content.ReadAsStringAsync(stop),
            ct
        );
        try
        {
            using var config = JsonDocument.Parse(text ?? "");
            return config.RootElement.TryGetProperty("readOnly", out var value)
                && value.ValueKind is JsonValueKind.True;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Unreadable("no configuration");
        }
    }

    private static string PathOf(string page) => $".fs/{Escape(page)}.md";

    // A slash separates folders and stays; everything else that means something in an address does not.
    private static string Escape(string page) => string.Join('/', page.Split('/').Select(Uri.EscapeDataString));

    private static async Task<SpaceFile[]> ReadFilesAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var text = await response.Content.ReadAsStringAsync(ct);
        RequirePage(response, text);
        try
        {
            return JsonSerializer.Deserialize<SpaceFile[]>(text, JsonSerializerOptions.Web) ?? [];
        }
        catch (JsonException)
        {
            throw Unreadable("something that is not a list of files");
        }
    }

    private static async Task<PageBytes> ReadDescriptionAsync(HttpResponseMessage response, CancellationToken ct)
    {
        RequirePage(response, await StartAsync(response, ct));
        var (lastModified, isReadOnly) = Description(response);
        return new([], lastModified, isReadOnly);
    }

    // The server itself takes a page as read-only where it does not say.
    private static (long? LastModified, bool IsReadOnly) Description(HttpResponseMessage response) =>
        (
            long.TryParse(Header(response, "X-Last-Modified"), out var lastModified) ? lastModified : null,
            Header(response, "X-Permission") != "rw"
        );

    /// <summary>What the answer says, read by the caller. Null when there is no such thing.</summary>
    private async Task<T?> SendAsync<T>(
        HttpMethod method,
        string path,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        CancellationToken ct,
        byte[]? content = null,
        bool metaOnly = false
    )
        where T : class
    {
        using var request = new HttpRequestMessage(method, path);
        request.Options.Set(Streamed, path.StartsWith(".fs/", StringComparison.Ordinal));
        if (content is not null)
        {
            request.Content = new ByteArrayContent(content);
            request.Content.Headers.ContentType = new("text/markdown", "utf-8");
        }

        if (metaOnly)
        {
            request.Headers.Add("X-Get-Meta", "true");
        }

        using var response = await http.CreateClient(nameof(SilverBulletClient))
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (response.IsSuccessStatusCode)
        {
            return IsHtml(response) ? throw WebPage(method) : await read(response, ct);
        }

        var said = await StartAsync(response, ct);
        var isPage = IsHtml(response) || StartsAsHtml(said);
        if (response.StatusCode is HttpStatusCode.NotFound && !isPage)
        {
            return null;
        }

        if ((int)response.StatusCode >= 500 && method != HttpMethod.Get && await IsKnownReadOnlyAsync(ct))
        {
            throw new McpException(
                "The whole SilverBullet space is read-only, and nothing was changed."
                    + " The operator allows changes by removing SB_READ_ONLY from the server's environment."
            );
        }

        throw Failed(method, response, isPage ? "" : Excerpt(said));
    }

    private async Task<bool> IsKnownReadOnlyAsync(CancellationToken ct)
    {
        try
        {
            return await IsSpaceReadOnlyAsync(ct);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<string> StartAsync(HttpResponseMessage response, CancellationToken ct)
    {
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[MaxReasonBytes];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    // Paths that the server does not know, and login pages of a proxy, are 200 with HTML. A page of the space may begin
    // like HTML, but it has a time of its last change.
    private static void RequirePage(HttpResponseMessage response, ReadOnlySpan<char> start)
    {
        if (Header(response, "X-Last-Modified") is null && StartsAsHtml(start))
        {
            throw WebPage(response.RequestMessage!.Method);
        }
    }

    private static bool IsHtml(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType == "text/html";

    private static bool StartsAsHtml(ReadOnlySpan<char> text) =>
        text.TrimStart() is var start
        && (
            start.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
        );

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private static HttpRequestException WebPage(HttpMethod method) =>
        Unreadable("a web page, perhaps a login page,", method);

    private static HttpRequestException Unreadable(string what, HttpMethod? method = null) =>
        new(
            $"SilverBullet sent {what} instead of an answer of its API. Check SilverBullet:Url (with the prefix of the"
                + $" space), SilverBullet:Token, and the proxy in front of the server.{Doubt(method)}",
            null,
            HttpStatusCode.BadGateway
        );

    private Exception Failed(HttpMethod method, HttpResponseMessage response, string said)
    {
        var (status, writes) = ((int)response.StatusCode, method != HttpMethod.Get);
        var answered = said.Length > 0 ? $"SilverBullet answered {status} ({said})" : $"SilverBullet answered {status}";
        return status switch
        {
            401 => Upstream($"{answered}: it does not accept the token. Check SilverBullet:Token."),
            403 when writes => new McpException(
                $"{answered}, and nothing was changed: the page, or the whole space, is read-only."
            ),
            403 => Upstream($"{answered}: the token may not read this. Check SilverBullet:Token."),
            409 or 412 => new McpException(
                $"{answered}: somebody else changed the page, and nothing was written."
                    + " Read it again with silverbullet_get_page, then repeat the change."
            ),
            413 => new McpException($"{answered}: the content is too large. Split it into several pages."),
            429 => Upstream(
                $"{answered}: too many requests.{(writes ? " Nothing was changed." : "")} Try again {Later(response)}."
            ),
            >= 500 when writes => Upstream(
                $"{answered}. Before version 2.10 that also means that the page is read-only.{Doubt(method)}"
            ),
            >= 500 => Upstream($"{answered}. Try again later, or ask the operator to look at SilverBullet's log."),
            400 or 422 => new McpException($"{answered}. Correct the arguments."),
            _ => Upstream($"{answered}. Check SilverBullet:Url."),
        };

        HttpRequestException Upstream(string sentence) => new(sentence, null, response.StatusCode);
    }

    // Its reasons are plain text.
    private static string Excerpt(string text)
    {
        var plain = string.Concat(text.Trim().TrimEnd('.').Where(letter => !char.IsControl(letter)));
        return plain.Length > 200 ? plain[..200] + "…" : plain;
    }

    // SilverBullet has no rate limit of its own; a proxy in front of it says when it ends.
    private string Later(HttpResponseMessage response)
    {
        var wait =
            response.Headers.RetryAfter is { Delta: { } delta } ? delta
            : response.Headers.RetryAfter is { Date: { } date } ? date - time.GetUtcNow()
            : long.TryParse(Header(response, "X-RateLimit-Reset"), out var reset) && reset is > 0 and < 253402300800
                ? DateTimeOffset.FromUnixTimeSeconds(reset) - time.GetUtcNow()
            : TimeSpan.Zero;
        return wait > TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $"in {Math.Ceiling(wait.TotalSeconds)} seconds")
            : "in a minute";
    }

    private static string Doubt(HttpMethod? method) =>
        method is null || method == HttpMethod.Get
            ? ""
            : " The change may have been made all the same: read the page before trying again.";
}

/// <summary>
/// SilverBullet has no search in its API, so the pages themselves are read: the last changed ones first, within bounds,
/// and each again only after it was changed.
/// </summary>
internal sealed class SilverBulletSearch(SilverBulletClient client, TimeProvider time)
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
            // Pages come last changed first, and stay so where as many words are in the name.
            orderby words.Count(word => Contains(page.Name, word)) descending
            select Match(page, text, words);
        var all = found.ToArray();
        var left = pages.Length - texts.Count;
        var why = failure is null ? ", because there are too many or they are too large" : $". {failure}";
        var note = left == 0 ? null : $"{left} of {pages.Length} pages were compared by name only{why}.";
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
                            var part = await client.ReadPartAsync(page.Name, 0, MaxBytesOfPage, stop);
                            texts[page.Name] = (page.LastModified, part?.Text ?? ""); // null: deleted meanwhile
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
            failures.Enqueue("The search ran out of time");
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
