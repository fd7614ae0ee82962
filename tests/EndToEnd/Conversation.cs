using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace MinimalMcp.Tests.EndToEnd;

/// <summary>
/// What a person asks, which tools a model would call for that, and what it would answer with what they gave. The tools
/// are called as an own program with a model calls them: by function calling. What was said is added to the file that
/// DEMO_TRANSCRIPT names, if any.
/// </summary>
internal sealed class Conversation : IAsyncDisposable
{
    // For people: a quotation mark stays one.
    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private Conversation(TestServer server) => Server = server;

    public TestServer Server { get; }

    /// <summary>Each question with its answer.</summary>
    public List<(string Question, List<string> Answer)> Said { get; } = [];

    /// <param name="systems">What is asked, and whether it is real.</param>
    public static Conversation Start(string systems, params (string Key, string Value)[] settings)
    {
        Write($"\n# {systems}");
        return new(TestServer.Start(settings));
    }

    public void Ask(string question)
    {
        Said.Add((question, []));
        Write($"\nPerson:  {question}");
    }

    public async Task<JsonElement> CallAsync(string tool, object arguments)
    {
        Write($"  calls  {tool} {JsonSerializer.Serialize(arguments, Readable)}");
        var call = new
        {
            jsonrpc = "2.0",
            id = 1,
            method = "tools/call",
            @params = new { name = tool, arguments },
        };
        using var response = await Server.Http.PostAsJsonAsync(
            "/api/mcp/v1/call",
            call,
            TestContext.Current.CancellationToken
        );
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(
            answer.TryGetProperty("result", out var result)
                && !(result.TryGetProperty("isError", out var failed) && failed.GetBoolean()),
            $"{tool}: {answer}"
        );
        return result.TryGetProperty("structuredContent", out var structured)
            ? structured
            : JsonElement.Parse(result.GetProperty("content")[0].GetProperty("text").GetString()!);
    }

    public void Answer(params FormattableString[] lines)
    {
        foreach (var line in lines.Select(line => line.ToString(CultureInfo.InvariantCulture)))
        {
            Said[^1].Answer.Add(line);
            Write((Said[^1].Answer.Count == 1 ? "Answer:  " : "         ") + line);
        }
    }

    /// <summary>Checks that each question has an answer with these parts.</summary>
    public void HasAnswers(params string[][] parts)
    {
        Assert.Equal(parts.Length, Said.Count);
        Assert.All(Said.Zip(parts), said =>
            Assert.All(said.Second, part => Assert.Contains(part, string.Join('\n', said.First.Answer)))
        );
    }

    /// <summary>A member that is a text; empty when it is not there.</summary>
    public static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()!.Trim()
            : "";

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static void Write(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        if (Environment.GetEnvironmentVariable("DEMO_TRANSCRIPT") is { Length: > 0 } file)
        {
            File.AppendAllText(file, line + "\n");
        }
    }
}
