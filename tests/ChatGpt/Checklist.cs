using System.Text.Json;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// Runs named checks one after the other and keeps what became of each. A check that fails lets the next one run.
/// </summary>
internal sealed class Checklist(TextWriter output)
{
    public List<Outcome> Outcomes { get; } = [];

    public int Failed => Outcomes.Count(outcome => outcome.Problem is not null);

    public void Group(string name) => output.WriteLine($"\n{name}");

    public async Task<bool> CheckAsync(string name, Func<Task> check)
    {
        string? problem = null;
        try
        {
            await check();
        }
        catch (Exception failure)
            when (failure
                    is CheckFailedException
                        or HttpRequestException
                        or JsonException
                        or InvalidOperationException
                        or KeyNotFoundException
                        or TaskCanceledException
                        or NullReferenceException
            )
        {
            problem = failure switch
            {
                CheckFailedException => failure.Message,
                NullReferenceException => "there is nothing to check: what it needs failed above",
                _ => $"{failure.GetType().Name}: {failure.Message}",
            };
        }

        Outcomes.Add(new(name, problem));
        output.WriteLine(
            problem is null
                ? $"  ok      {name}"
                : $"  FAILED  {name}\n          {problem.Replace("\n", " ", StringComparison.Ordinal)}"
        );
        return problem is null;
    }

    public void LeaveOut(string what, string why) => output.WriteLine($"  -       {what}: {why}");
}

internal sealed record Outcome(string Name, string? Problem);

internal sealed class CheckFailedException(string message) : Exception(message);

/// <summary>What must be so; otherwise the sentence says what was seen.</summary>
internal static class Must
{
    public static void Be(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CheckFailedException(otherwise);
        }
    }

    public static void Equal<T>(T wanted, T seen, string what) =>
        Be(EqualityComparer<T>.Default.Equals(wanted, seen), $"{what} is '{seen}' and must be '{wanted}'");

    /// <summary>The property's text; a sentence when it is not there.</summary>
    public static string Text(this JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object
        && json.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
            ? value.GetString()!
            : throw new CheckFailedException($"there is no text '{name}' in {Short(json)}");

    public static string[] Texts(this JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object
        && json.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.GetString() ?? "")]
            : throw new CheckFailedException($"there is no list '{name}' in {Short(json)}");

    private static string Short(JsonElement json) =>
        json.ValueKind is JsonValueKind.Undefined ? "nothing"
        : json.GetRawText() is { Length: > 200 } text ? text[..200] + "..."
        : json.GetRawText();
}
