using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools.Documents.Books;

/// <summary>A family with documents. What its query begins with decides how it behaves.</summary>
public sealed class BooksTools
{
    /// <summary>Set when a query hangs.</summary>
    public static TaskCompletionSource Hangs { get; set; } = new();

    [McpServerTool(Name = "count_books", ReadOnly = true), Description("Counts the books.")]
    public static int CountBooks() => 12;

    [McpMeta("documents", "search")]
    public static async Task<IReadOnlyList<Book>> FindAsync(string words, CancellationToken ct)
    {
        await Task.Yield();
        if (words == "slow")
        {
            Hangs.TrySetResult();
            await Task.Delay(Timeout.Infinite, ct);
        }

        return words switch
        {
            "refused" => throw new McpException("Books are lent out."),
            "down" => throw new HttpRequestException("Books answered 503."),
            "bug" => throw new InvalidOperationException("secret-of-the-bug"),
            "none" or "one two three" or "three" => [],
            "one" => [Of("1"), Of("both")],
            "two" => [Of("both"), Of("2")],
            _ when words.Contains("echo", StringComparison.OrdinalIgnoreCase) =>
            [
                new Book($"echo/{words}", words, "https://books.example/echo"),
            ],
            _ =>
            [
                .. Enumerable
                    .Range(1, 12)
                    .Select(number => new Book(
                        $"shelf/{number}:a",
                        $"Book {number}",
                        $"https://books.example/{number}"
                    )),
            ],
        };
    }

    private static Book Of(string id) => new(id, $"Book {id}", $"https://books.example/{id}");

    [McpMeta("documents", "fetch")]
    public static ValueTask<Book?> ReadAsync(string number) =>
        new(
            number switch
            {
                "shelf/1:a" => new Book(
                    number,
                    "Book 1",
                    "https://books.example/1",
                    "It was a dark night.",
                    new() { ["author"] = "Ann" }
                ),
                "long" => new Book(
                    number,
                    "",
                    "/books/long",
                    string.Concat(Enumerable.Repeat("\"quoted\" 🌍\n", 30_000))
                ),
                _ => null,
            }
        );
}

public sealed record Book(
    string Id,
    string Title,
    string Url,
    string? Text = null,
    Dictionary<string, string>? Metadata = null,
    int Pages = 3
);
