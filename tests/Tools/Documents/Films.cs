using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools.Documents.Films;

/// <summary>Another family with documents, whose methods answer at once.</summary>
public sealed class FilmsTools(TimeProvider time)
{
    [McpServerTool(Name = "count_films", ReadOnly = true), Description("Counts the films.")]
    public static int CountFilms() => 2;

    [McpMeta("documents", "search")]
    public object[] Find(string query) =>
        query is "down"
            ? throw new McpException("Films are cut.")
            :
            [
                new
                {
                    id = "1",
                    title = $"{time.GetUtcNow().Year > 2000}",
                    url = "films/1",
                },
                new
                {
                    id = "2",
                    title = " ",
                    url = "",
                },
            ];

    [McpMeta("documents", "fetch")]
    public static object Read(string id) =>
        new
        {
            id,
            title = "Film",
            url = "https://films.example",
            text = (string?)null,
        };
}
