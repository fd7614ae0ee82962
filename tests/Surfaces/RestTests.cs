using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Tools as plain HTTP. A failed call answers with a problem document whose detail says what to mend.
/// </summary>
public sealed partial class RestTests
{
    [Fact]
    public async Task The_list_has_what_a_caller_needs_to_call()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var list = await server.GetJsonAsync("/tools");

        Assert.Equal(6, list.GetProperty("count").GetInt32());
        var tool = list.GetProperty("tools")
            .EnumerateArray()
            .Single(tool => tool.GetProperty("name").GetString() == "share_notes");
        Assert.Equal(
            ("Share notes", "notes", "HIGH", false),
            (
                tool.GetProperty("title").GetString(),
                tool.GetProperty("family").GetString(),
                tool.GetProperty("risk").GetString(),
                tool.GetProperty("readOnly").GetBoolean()
            )
        );
        Assert.Equal("audience", tool.GetProperty("inputSchema").GetProperty("required")[0].GetString());
        Assert.Equal("object", tool.GetProperty("outputSchema").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Every_bad_argument_is_named_with_the_valid_ones()
    {
        await using var server = TestServer.Start(FixtureTools.AddTo);

        var detail = await ProblemAsync(
            server,
            400,
            "/tools/echo",
            """{"count":9,"colour":"Blue","tags":[{}],"point":{"x":1},"ratoi":1}"""
        );

        Assert.All(
            [
                "'text' is missing",
                "'count' must be an integer from 1 to 5, not 9",
                "'colour' must be one of Red, Green",
                "'tags[0]'",
                "'point.y' is missing",
                "'ratoi' is not an argument (did you mean 'ratio'?)",
                "Its arguments are: text (string of 1 to 10 characters, required)",
            ],
            part => Assert.Contains(part, detail)
        );
    }

    [Theory]
    [InlineData("/tools/fnd_notes", "Unknown tool 'fnd_notes'. Did you mean find_notes?")]
    [InlineData("/tools/Find_Notes", "Did you mean find_notes?")]
    [InlineData("/tools/nothing_like_it_at_all", "Known tools: find_notes, get_topics,")]
    [InlineData("/tools/%3Cscript%3E", "Unknown tool '<script>'.")]
    [InlineData("/tools/list_picked?profile=none", "Available profiles: notes, readonly")]
    public async Task An_unknown_tool_or_profile_is_404_and_says_what_there_is(string path, string part)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        Assert.Contains(part, await ProblemAsync(server, 404, path, "{}"));
    }

    [Theory]
    [InlineData("""["milk"]""")]
    [InlineData("\"milk\"")]
    [InlineData("null")]
    [InlineData("7")]
    public async Task A_body_that_is_no_object_is_400(string body)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        Assert.Contains("must be a JSON object", await ProblemAsync(server, 400, "/tools/find_notes", body));
    }

    [Theory]
    [InlineData("""{"query":""", "not valid JSON")]
    [InlineData("""{"query":"milk","query":"bread"}""", "duplicate")]
    [InlineData("query=milk", "not valid JSON")]
    public async Task A_body_that_cannot_be_read_is_400_and_says_why(string body, string part)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        Assert.Contains(part, await ProblemAsync(server, 400, "/tools/find_notes", body));
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Server:MaxRequestBytes", "2048"));

        await ProblemAsync(server, 413, "/tools/find_notes", $$"""{"query":"{{new string('x', 4000)}}"}""");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Another_content_type_is_415(string contentType)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        Assert.Contains(
            "application/json",
            await ProblemAsync(server, 415, "/tools/find_notes", """{"query":"milk"}""", contentType)
        );
    }

    [Fact]
    public async Task A_compressed_body_is_415()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var response = await server.PostAsync(
            "/tools/find_notes",
            """{"query":"milk"}""",
            headers: ("Content-Encoding", "gzip")
        );

        Assert.Equal(415, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("", "application/json")]
    [InlineData("", "text/plain")]
    [InlineData("{}", "application/json")]
    [InlineData("{}", "application/vnd.api+json")]
    public async Task A_tool_without_arguments_may_be_called_without_a_body(string body, string contentType)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var response = await server.PostAsync("/tools/list_picked", body, contentType);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task An_unexpected_failure_shows_only_an_id_which_is_in_the_log_with_the_reason()
    {
        using var log = new CapturedLog();
        await using var server = TestServer.Start(services =>
        {
            FixtureTools.AddTo(services);
            services.AddSingleton<ILoggerProvider>(log);
        });

        var detail = await ProblemAsync(server, 500, "/tools/breaks", "{}");

        Assert.DoesNotContain("hunter2", detail);
        var id = Id().Match(detail).Value;
        Assert.Contains(log.Lines, line =>
            line.Level == LogLevel.Error
            && id.Length == 32
            && line.Text.Contains(id, StringComparison.Ordinal)
            && line.Text.Contains("hunter2", StringComparison.Ordinal)
        );
    }

    private static async Task<string> ProblemAsync(
        TestServer server,
        int status,
        string path,
        string body,
        string contentType = "application/json"
    )
    {
        using var response = await server.PostAsync(path, body, contentType);
        Assert.Equal(
            (status, "application/problem+json"),
            ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType)
        );
        return JsonElement
            .Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
            .GetProperty("detail")
            .GetString()!;
    }

    [GeneratedRegex("[0-9a-f]{32}")]
    private static partial Regex Id();
}
