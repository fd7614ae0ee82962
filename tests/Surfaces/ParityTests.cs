using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The same call gives the same result and the same kind of failure, whichever way it comes.</summary>
public sealed class ParityTests(ParityTests.Servers servers) : IClassFixture<ParityTests.Servers>
{
    public static TheoryData<string, string> GoodCalls => new(Cases.Good.Concat(Cases.Shapes));

    /// <summary>The kind by its name: it is no public type.</summary>
    public static TheoryData<string, string, string> BadCalls =>
        new(Cases.Bad.Select(call => (call.Item1, call.Item2, call.Item3.ToString())));

    [Theory, MemberData(nameof(GoodCalls))]
    public async Task A_good_call_gives_the_same_value_everywhere(string tool, string arguments)
    {
        foreach (var (way, answer) in await CallEverywhereAsync(tool, arguments, pickFirst: tool == "send_picked"))
        {
            Assert.True(answer.Failure is null, $"{way}: {answer.Failure}");
        }
    }

    [Theory, MemberData(nameof(BadCalls))]
    public async Task A_bad_call_gives_the_same_sentence_and_class_everywhere(
        string tool,
        string arguments,
        string kindName
    )
    {
        var kind = Enum.Parse<FailureKind>(kindName);
        foreach (var (way, answer) in await CallEverywhereAsync(tool, arguments))
        {
            Assert.True(answer.Class == way.ClassOf(kind), $"{way}: expected {way.ClassOf(kind)}, got {answer}");
            Assert.DoesNotContain("hunter2", answer.Failure);
        }
    }

    [Fact]
    public async Task An_unknown_tool_is_refused_with_near_names_everywhere()
    {
        // its client throws; TransportParityTests reads the bare message
        foreach (var way in servers.Ways.Where(way => way.ToString() != "sse"))
        {
            var answer = await way.CallAsync("ann", "fnd_notes", []);

            Assert.Equal("Unknown tool 'fnd_notes'. Did you mean find_notes?", answer.Failure);
            Assert.Equal(way.ToString() == "rest" ? "404" : "-32602", answer.Class);
        }
    }

    [Fact]
    public async Task A_caller_without_the_scope_is_refused_everywhere()
    {
        foreach (var way in servers.Ways)
        {
            var answer = await way.CallAsync("ann mcp:read", "pick_note", new() { ["code"] = "milk" });

            Assert.Contains("mcp:write", answer.Failure);
            Assert.Equal(way.ClassOf(FailureKind.Refused), answer.Class);
        }
    }

    private async Task<List<(Way Way, Answer Answer)>> CallEverywhereAsync(
        string tool,
        string arguments,
        bool pickFirst = false
    )
    {
        var parsed = JsonNode.Parse(arguments)!.AsObject();
        var answers = new List<(Way Way, Answer Answer)>();
        foreach (var way in servers.Ways)
        {
            var caller = $"{tool}-{Guid.NewGuid():N}";
            if (pickFirst)
            {
                await way.CallAsync(caller, "pick_note", new() { ["code"] = "bagels" });
            }

            answers.Add((way, await way.CallAsync(caller, tool, parsed)));
        }

        foreach (var (way, answer) in answers)
        {
            Assert.True(
                answer.Comparable == answers[0].Answer.Comparable,
                $"{way}: {answer.Comparable}\n{answers[0].Way}: {answers[0].Answer.Comparable}"
            );
        }

        return answers;
    }

    public sealed class Servers()
        : SurfaceServers(services =>
        {
            FixtureTools.WithNotes(services);
            TestCaller.AddTo(services);
        });
}
