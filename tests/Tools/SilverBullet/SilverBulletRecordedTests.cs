using System.Text.Json;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Tools.SilverBullet;

/// <summary>The stand-in answers as SilverBullet 2.9 did when it was recorded.</summary>
public sealed class SilverBulletRecordedTests
{
    [Theory]
    [InlineData("get-page.txt", "index")]
    [InlineData("missing.txt", "nothing")]
    public async Task A_page_and_a_missing_one_have_the_status_and_the_headers_of_the_recording(
        string recording,
        string page
    )
    {
        await using var space = await Space.StartAsync();
        var lines = await File.ReadAllLinesAsync(Recorded(recording), TestContext.Current.CancellationToken);

        using var response = await AskAsync(space, $".fs/{page}.md");

        Assert.Equal(lines[0].Split(' ')[1], $"{(int)response.StatusCode}");
        var known = response
            .Headers.Concat(response.Content.Headers)
            .Select(header => header.Key)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        Assert.All(
            lines.Skip(1).TakeWhile(line => line.Contains(": ", StringComparison.Ordinal)),
            // The length depends on how a server sends, and nosniff is on its errors only.
            line =>
                Assert.True(
                    known.Contains(line.Split(':')[0])
                        || line.StartsWith("Content-Length", StringComparison.Ordinal)
                        || line.StartsWith("X-Content-Type-Options", StringComparison.Ordinal),
                    line
                )
        );
    }

    [Fact]
    public async Task The_list_has_the_members_of_the_recording()
    {
        await using var space = await Space.StartAsync();
        var recorded = JsonElement.Parse(
            await File.ReadAllTextAsync(Recorded("list.json"), TestContext.Current.CancellationToken)
        );

        using var response = await AskAsync(space, ".fs");

        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Members(recorded[0]), Members(JsonElement.Parse(text)[0]));
    }

    [Fact]
    public async Task Every_page_of_the_recorded_list_is_listed_and_read()
    {
        await using var space = await Space.StartAsync();
        var recorded = JsonElement.Parse(
            await File.ReadAllTextAsync(Recorded("list.json"), TestContext.Current.CancellationToken)
        );
        string[] names = [.. recorded.EnumerateArray().Select(file => file.GetProperty("name").GetString()![..^3])];
        foreach (var name in names)
        {
            space.Put(name + ".md", $"the text of {name}");
        }

        // A character that nobody sees is shown in a result, and a name is found as it is shown.
        names = [.. names.Select(name => name.Replace("\u0001", @"\u{1}", StringComparison.Ordinal))];

        await using var server = TestServer.Start(space.Settings);

        var listed = (await server.CallAsync("silverbullet_list_pages", new { all = true }))
            .GetProperty("pages")
            .EnumerateArray()
            .Select(page => page.GetProperty("name").GetString())
            .ToHashSet();
        Assert.Subset(listed, names.ToHashSet<string?>());
        foreach (var name in names)
        {
            var page = await server.CallAsync("silverbullet_get_page", new { page_name = name });
            Assert.StartsWith("the text of ", page.GetProperty("content").GetString());
            Assert.Equal(name, page.GetProperty("name").GetString());
        }
    }

    private static async Task<HttpResponseMessage> AskAsync(Space space, string path)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{space.Url}/{path}");
        request.Headers.Authorization = new("Bearer", Space.Token);
        request.Headers.Add("X-Sync-Mode", "true");
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string Members(JsonElement file) =>
        string.Join(' ', file.EnumerateObject().Select(member => $"{member.Name}:{member.Value.ValueKind}").Order());

    private static string Recorded(string file) =>
        Path.Combine(ClientProcess.Root, "tests", "Tools", "SilverBullet", "Recorded", file);
}
