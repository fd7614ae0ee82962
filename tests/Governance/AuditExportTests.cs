using System.Net;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using MinimalMcp.Governance;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Governance;

/// <summary>The audit log as files, by its new filters, and verified while the server runs.</summary>
public sealed class AuditExportTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("plain", "\"plain\"")]
    [InlineData("a \"b\", c\nd", "\"a \"\"b\"\", c\nd\"")]
    [InlineData("=HYPERLINK(1)", "\"'=HYPERLINK(1)\"")]
    [InlineData("+1", "\"'+1\"")]
    [InlineData("-1", "\"'-1\"")]
    [InlineData("@SUM(A1)", "\"'@SUM(A1)\"")]
    [InlineData("\t=1", "\"'\t=1\"")]
    [InlineData("\r=1", "\"'\r=1\"")]
    [InlineData("  =1", "\"'  =1\"")]
    [InlineData("＝1", "\"'＝1\"")]
    [InlineData("  ", "\"  \"")]
    [InlineData("a\u202eb", "\"a\\u{202E}b\"")]
    public void A_cell_is_text_for_every_spreadsheet(string? value, string cell) =>
        Assert.Equal(cell, AuditExport.Cell(value));

    [Fact]
    public async Task Exports_have_all_entries_of_the_filter_and_no_formulas()
    {
        await using var server = GovernedTools.Start(new());
        await CallAsync(server, "look", """{"what":"a"}""", "=cmd()");
        await CallAsync(server, "look", """{"what":"b"}""", "bob");
        await CallAsync(server, "look", """{"what":"\",=1"}""", "=cmd()");
        await WaitForEntriesAsync(server, 3);

        using var csv = await GetAsync(server, "?format=csv&subject=%3Dcmd()");
        using var lines = await GetAsync(server, "?format=jsonl&tool=look&to=2100-01-01");

        Assert.Equal("text/csv", csv.Content.Headers.ContentType!.MediaType);
        Assert.Equal("audit-log.csv", csv.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        var rows = (await csv.Content.ReadAsStringAsync(Stop)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("seq,at,phase,call_id,trace_id,subject,", rows[0], StringComparison.Ordinal);
        Assert.Equal(3, rows.Length);
        Assert.All(rows[1..], row => Assert.Contains(",\"'=cmd()\",", row, StringComparison.Ordinal));
        Assert.Contains("""{""what"":""\"",=1""}""", rows[1], StringComparison.Ordinal);
        Assert.Equal("audit-log.jsonl", lines.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        Assert.Equal(3, (await lines.Content.ReadAsStringAsync(Stop)).Trim().Split('\n').Length);
    }

    [Fact]
    public async Task Entries_are_found_by_surface_and_level_and_another_format_is_refused()
    {
        await using var server = GovernedTools.Start(new());
        await CallAsync(server, "look", "{}", "ann");
        await CallAsync(server, "wipe", """{"what":"it"}""", "ann");
        await server.McpAsync("tools/call", new { name = "look", arguments = new { } }, caller: "ann");
        await WaitForEntriesAsync(server, 4);

        Assert.Equal(3, await CountAsync(server, "?surface=rest"));
        Assert.Equal(1, await CountAsync(server, "?surface=http"));
        Assert.Equal(2, await CountAsync(server, "?level=high"));
        Assert.Equal(1, await CountAsync(server, "?level=LOW&surface=rest"));
        using var wrong = await GetAsync(server, "?format=xml");
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Contains("jsonl or csv", await wrong.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_chain_is_verified_over_HTTP_and_a_changed_entry_is_found()
    {
        var path = TestStores.New();
        await using var server = GovernedTools.Start(new(), ("Storage:Path", path));
        Assert.Contains("is empty", (await VerifyAsync(server)).GetProperty("message").GetString());
        await CallAsync(server, "wipe", """{"what":"it"}""", "ann");

        var intact = await VerifyAsync(server);
        Assert.True(intact.GetProperty("intact").GetBoolean());
        Assert.Equal(2, intact.GetProperty("entries").GetInt64());
        Assert.Contains(
            $"2 entries, the last is 2 with the hash {intact.GetProperty("hash").GetString()}",
            intact.GetProperty("message").GetString(),
            StringComparison.Ordinal
        );

        await using (var other = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            other.Open();
            await using var change = other.CreateCommand();
            change.CommandText = "update audit set subject = 'bob' where seq = 1";
            Assert.Equal(1, await change.ExecuteNonQueryAsync(Stop));
        }

        var damaged = await VerifyAsync(server);
        Assert.False(damaged.GetProperty("intact").GetBoolean());
        Assert.Contains("entry 1 was modified", damaged.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_another_origin_verifies_nothing_also_without_authentication()
    {
        await using var server = GovernedTools.Start(new());
        using var foreign = await server.PostAsync(
            "/api/v1/audit/verify",
            "",
            headers: ("Sec-Fetch-Site", "cross-site")
        );
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
    }

    [Fact]
    public async Task The_entry_of_an_approved_call_names_who_approved_it_and_the_call_that_asked()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Approve", "launch"));
        using var asked = await server.PostAsync(
            "/tools/launch",
            """{"target":"moon"}""",
            headers: (TestCaller.Header, "ann")
        );
        var token = JsonElement
            .Parse(await asked.Content.ReadAsStringAsync(Stop))
            .GetProperty("confirmation_token")
            .GetString();
        var pending = (await server.GetJsonAsync("/api/v1/approvals")).GetProperty("approvals")[0];
        using var approved = await server.PostAsync(
            $"/api/v1/approvals/{pending.GetProperty("id").GetString()}/approve",
            "{}",
            headers: (TestCaller.Header, "boss mcp:admin")
        );
        Assert.Equal(HttpStatusCode.OK, approved.StatusCode);
        await CallAsync(server, "launch", $$"""{"target":"moon","confirmation_token":"{{token}}"}""", "ann");

        var intent = (await server.GetJsonAsync("/api/v1/audit?tool=launch&outcome=intent&subject=ann")).GetProperty(
            "rows"
        )[0];
        Assert.Equal(
            $"approved by boss; requested as call {pending.GetProperty("call_id").GetString()}",
            intent.GetProperty("detail").GetString()
        );
    }

    private static async Task CallAsync(TestServer server, string tool, string arguments, string caller)
    {
        using var answer = await server.PostAsync($"/tools/{tool}", arguments, headers: (TestCaller.Header, caller));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static Task<HttpResponseMessage> GetAsync(TestServer server, string query) =>
        server.Http.GetAsync(new Uri("/api/v1/audit" + query, UriKind.Relative), Stop);

    private static async Task<int> CountAsync(TestServer server, string query) =>
        (await server.GetJsonAsync("/api/v1/audit" + query)).GetProperty("count").GetInt32();

    // Entries of calls that only read are written beside them.
    private static Task WaitForEntriesAsync(TestServer server, int count) =>
        Wait.Until(async () => await CountAsync(server, "?limit=1000") >= count);

    private static async Task<JsonElement> VerifyAsync(TestServer server)
    {
        using var answer = await server.PostAsync("/api/v1/audit/verify", "");
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop));
    }
}
