using System.Text.Json;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Tools.Vikunja;

/// <summary>
/// The stand-in answers as Vikunja 2.5 did when it was recorded: the same members, of the same kinds.
/// </summary>
public sealed class VikunjaRecordedTests
{
    [Theory]
    [InlineData("task-rich.json", "", "tasks/12")]
    [InlineData("project-owned.json", "", "projects/2")]
    [InlineData("comments-page1.json", "body", "tasks/12/comments")]
    public async Task The_stand_in_has_the_members_of_the_recording(string recording, string member, string path)
    {
        await using var board = await Board.StartAsync();
        var recorded = Recorded(recording);
        recorded = member.Length > 0 ? recorded.GetProperty(member)[0] : recorded;

        var (answer, _) = await AskAsync(board, path);

        answer = answer.ValueKind is JsonValueKind.Array ? answer[0] : answer;
        Assert.All(recorded.EnumerateObject(), known =>
        {
            // Only a task that somebody follows has it.
            if (known.Name != "subscription")
            {
                Assert.True(answer.TryGetProperty(known.Name, out var value), $"{path} lacks {known.Name}");
                Assert.True(
                    value.ValueKind == known.Value.ValueKind
                        || value.ValueKind is JsonValueKind.Null or JsonValueKind.False or JsonValueKind.True
                        || known.Value.ValueKind is JsonValueKind.Null,
                    $"{path}: {known.Name} is {value.ValueKind}"
                );
            }
        });
    }

    [Theory]
    [InlineData("projects-search-none.json", "projects?s=zebra")]
    [InlineData("projects-search-haus.json", "projects?s=house")]
    public async Task A_search_for_projects_ends_with_the_view_of_favourites(string recording, string path)
    {
        await using var board = await Board.StartAsync();
        var recorded = Recorded(recording);
        var total = recorded.GetProperty("headers").GetProperty("X-Pagination-Total-Pages").GetString();

        var (answer, pages) = await AskAsync(board, path);

        Assert.Equal(total, pages);
        Assert.Equal(
            recorded.GetProperty("body").EnumerateArray().Last().GetProperty("id").GetInt32(),
            answer.EnumerateArray().Last().GetProperty("id").GetInt32()
        );
    }

    private static async Task<(JsonElement Answer, string? Pages)> AskAsync(Board board, string path)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{board.Url}/api/v1/{path}");
        request.Headers.Authorization = new("Bearer", Board.Token);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return (
            JsonElement.Parse(text),
            response.Headers.TryGetValues("X-Pagination-Total-Pages", out var pages) ? pages.Single() : null
        );
    }

    private static JsonElement Recorded(string file) =>
        JsonElement.Parse(
            File.ReadAllText(Path.Combine(ClientProcess.Root, "tests", "Tools", "Vikunja", "Recorded", file))
        );
}
