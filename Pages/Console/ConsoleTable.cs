using System.Globalization;

namespace MinimalMcp.Pages.Console;

/// <summary>Tables and what is in their cells, which look the same on every page.</summary>
internal static class ConsoleTable
{
    /// <summary>A table. On a narrow screen each row is a card, in which each cell has its column's name.</summary>
    /// <param name="label">What the table lists, for screen readers.</param>
    /// <param name="columns">The headings of the columns.</param>
    /// <param name="items">What is listed.</param>
    /// <param name="cells">The cells of one row, as many as there are columns.</param>
    /// <param name="empty">What is shown in its place when nothing is listed: what to do.</param>
    /// <param name="id">The id of a row: a page that is shown again keeps the row where somebody is.</param>
    public static Html Of<T>(
        string label,
        IReadOnlyList<string> columns,
        IReadOnlyCollection<T> items,
        Func<T, Html[]> cells,
        Html empty,
        Func<T, string>? id = null
    ) =>
        items.Count == 0
            ? Html.Of($"""<div class="empty">{empty}</div>""")
            : Html.Of(
                $"""
                <div class="scroll" tabindex="0" role="region" aria-label="Table: {label}"><table>
                  <thead><tr>{Html.Each(columns, column => Html.Of($"""<th scope="col">{column}</th>"""))}</tr></thead>
                  <tbody>{Html.Each(items, item => Row(columns, cells(item), id?.Invoke(item)))}</tbody>
                </table></div>
                """
            );

    /// <summary>A time. The script writes it in the reader's own time zone.</summary>
    public static Html Time(DateTimeOffset? time) =>
        time is { } at
            ? Html.Of(
                $"""
                <time datetime="{at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)}">{
                    at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
                } UTC</time>
                """
            )
            : Html.Of($"""<span class="quiet">–</span>""");

    /// <summary>How long, in the two largest units: 3 d 4 h, 12 min 5 s.</summary>
    public static string Duration(TimeSpan time) =>
        time.TotalDays >= 1 ? $"{(int)time.TotalDays} d {time.Hours} h"
        : time.TotalHours >= 1 ? $"{time.Hours} h {time.Minutes} min"
        : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s"
        : $"{Math.Max(0, time.Seconds)} s";

    /// <summary>A state in a word, with a colour that says the same.</summary>
    /// <param name="tone">good, busy, warn, bad or idle.</param>
    /// <param name="word">The state.</param>
    public static Html State(string tone, string word) => Html.Of($"""<span class="state {tone}">{word}</span>""");

    /// <summary>A cell with a second line.</summary>
    public static Html Cell(Html first, string? more) =>
        Html.Of(
            $"""
            <div>{first}{Html.When(more is not null, () => Html.Of($"""<span class="more">{more}</span>"""))}</div>
            """
        );

    /// <summary>The beginning of a text that would be too long on a page.</summary>
    public static string Short(string text, int most) => text.Length > most ? text[..most] + " …" : text;

    private static Html Row(IReadOnlyList<string> columns, Html[] cells, string? id) =>
        Html.Of(
            $"""
            <tr{Html.When(id is not null, () => Html.Of($""" id="{id}" """))}>{Html.Each(cells.Zip(columns), cell =>
                Html.Of($"""<td data-label="{cell.Second}"><div>{cell.First}</div></td>"""))}</tr>
            """
        );
}
