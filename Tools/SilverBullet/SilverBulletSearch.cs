using System.Collections.Concurrent;

namespace MinimalMcp.Tools.SilverBullet;

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
