using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Governance;

/// <summary>Each caller may call so often, and not once more.</summary>
public sealed class BudgetTests(PostgresServer postgres)
{
    private const string TenAnHour = "10/hour";

    [Fact]
    public async Task Of_two_hundred_calls_at_once_on_a_budget_of_ten_ten_pass()
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools, ("Governance:Levels:HIGH", TenAnHour));

        var statuses = await AllAtOnceAsync(200, _ => server);

        Assert.Equal(
            (10, 190),
            (
                statuses.Count(status => status == HttpStatusCode.OK),
                statuses.Count(status => status == HttpStatusCode.TooManyRequests)
            )
        );
        Assert.Equal(10, tools.Done["wipe"]);
    }

    [Fact]
    public async Task Two_replicas_on_one_database_share_the_budget()
    {
        var tools = new GovernedTools();
        var database = await postgres.NewDatabaseAsync();
        (string, string)[] settings = [("Governance:Levels:HIGH", TenAnHour), ("Storage:ConnectionString", database)];
        await using var one = GovernedTools.Start(tools, settings);
        await using var two = GovernedTools.Start(tools, settings);

        var statuses = await AllAtOnceAsync(200, n => n % 2 == 0 ? one : two);

        Assert.Equal(10, statuses.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(10, tools.Done["wipe"]);
        Assert.Equal(190, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task A_large_budget_which_is_taken_in_pieces_is_exact_too()
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(
            tools,
            ("Governance:Levels:HIGH", "2500/day"),
            ("Governance:Audit", "false")
        );

        var statuses = await AllAtOnceAsync(2600, _ => server);

        Assert.Equal(
            (2500, 100),
            (
                statuses.Count(status => status == HttpStatusCode.OK),
                statuses.Count(status => status == HttpStatusCode.TooManyRequests)
            )
        );
        Assert.Equal(2500, tools.Done["wipe"]);
    }

    [Fact]
    public async Task A_refusal_says_the_level_the_limit_and_when_there_is_room_again()
    {
        var time = new ManualTime();
        await using var server = GovernedTools.Start(
            new(),
            services => services.AddSingleton<TimeProvider>(time),
            ("Governance:Levels:HIGH", "1/hour")
        );
        await CallAsync(server, "wipe");
        time.Advance(TimeSpan.FromMinutes(20));

        using var refused = await CallAsync(server, "wipe");

        Assert.Equal(
            (HttpStatusCode.TooManyRequests, TimeSpan.FromMinutes(40)),
            (refused.StatusCode, refused.Headers.RetryAfter!.Delta)
        );
        Assert.Contains(
            "level HIGH allows 1 calls per hour, and all are used. The next call is possible at 2026-01-01 "
                + "01:00:00 UTC, in 2400 seconds.",
            await TextAsync(refused)
        );
        time.Advance(TimeSpan.FromMinutes(40));
        using var allowed = await CallAsync(server, "wipe");
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Theory]
    [InlineData(-10, HttpStatusCode.TooManyRequests)] // what was spent later than now is spent
    [InlineData(10, HttpStatusCode.TooManyRequests)]
    [InlineData(60, HttpStatusCode.OK)]
    public async Task A_clock_that_jumps_gives_nothing_back_before_its_time(int minutes, HttpStatusCode expected)
    {
        var time = new ManualTime();
        await using var server = GovernedTools.Start(
            new(),
            services => services.AddSingleton<TimeProvider>(time),
            ("Governance:Levels:HIGH", "1/hour")
        );
        await CallAsync(server, "wipe");

        time.Advance(TimeSpan.FromMinutes(minutes));
        using var again = await CallAsync(server, "wipe");

        Assert.Equal(expected, again.StatusCode);
        using var read = await CallAsync(server, "look");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    [Fact]
    public async Task Every_way_in_spends_the_same_budget_and_tells_the_same()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Levels:HIGH", "3/hour"));

        Assert.False(
            (
                await server.McpAsync(
                    "tools/call",
                    new { name = "wipe", arguments = new { what = "a" } },
                    caller: "ann"
                )
            ).IsError
        );
        Assert.False(
            (
                await server.McpAsync(
                    "tools/call",
                    new { name = "wipe", arguments = new { what = "a" } },
                    version: "2026-07-28",
                    caller: "ann"
                )
            ).IsError
        );
        using var third = await CallAsync(server, "wipe");
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);

        var mcp = await server.McpAsync(
            "tools/call",
            new { name = "wipe", arguments = new { what = "a" } },
            caller: "ann"
        );
        Assert.True(mcp.IsError);
        Assert.Contains("all are used", mcp.Text);
        using var function = await server.PostAsync(
            "/api/mcp/v1/call",
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wipe","arguments":{"what":"a"}}}""",
            headers: (TestCaller.Header, "ann")
        );
        var error = JsonElement.Parse(await TextAsync(function)).GetProperty("error");
        Assert.Equal(-32000, error.GetProperty("code").GetInt32());
        Assert.Contains("all are used", error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Callers_do_not_share_a_budget()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Levels:HIGH", "1/hour"));

        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.OK],
            [await StatusAsync(server, "ann"), await StatusAsync(server, "ann"), await StatusAsync(server, "bob")]
        );
    }

    [Fact]
    public async Task Neither_lists_nor_refused_calls_nor_dry_runs_spend_it()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Levels:HIGH", "1/hour"));
        foreach (var path in (string[])["/tools", "/openapi.json", "/api/mcp/v1/tools"])
        {
            using var list = await server.Http.GetAsync(
                new Uri(path, UriKind.Relative),
                TestContext.Current.CancellationToken
            );
        }

        await server.McpAsync("tools/list", caller: "ann");
        using var wrong = await server.PostAsync("/tools/wipe", """{"wat":"a"}""", headers: (TestCaller.Header, "ann"));
        using var dry = await server.PostAsync(
            "/tools/wipe",
            """{"what":"a","dry_run":true}""",
            headers: (TestCaller.Header, "ann")
        );

        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.TooManyRequests],
            [await StatusAsync(server, "ann"), await StatusAsync(server, "ann")]
        );
    }

    [Fact]
    public async Task A_family_has_a_budget_beside_its_levels()
    {
        await using var server = GovernedTools.Start(
            new(),
            ("Governance:Groups:governance", "2/minute"),
            ("Governance:Levels:HIGH", "off")
        );

        using var one = await CallAsync(server, "look");
        using var two = await CallAsync(server, "wipe");
        using var three = await CallAsync(server, "look");

        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests),
            (one.StatusCode, two.StatusCode, three.StatusCode)
        );
        Assert.Contains("group governance allows 2 calls per minute", await TextAsync(three));
    }

    [Fact]
    public async Task A_restart_forgets_nothing()
    {
        var database = await postgres.NewDatabaseAsync();
        (string, string)[] settings = [("Governance:Levels:HIGH", "1/hour"), ("Storage:ConnectionString", database)];
        await using (var before = GovernedTools.Start(new(), settings))
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(before, "ann"));
        }

        await using var after = GovernedTools.Start(new(), settings);
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(after, "ann"));
    }

    private static async Task<HttpStatusCode[]> AllAtOnceAsync(int count, Func<int, TestServer> server) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(n => StatusAsync(server(n), "ann")));

    private static async Task<HttpStatusCode> StatusAsync(TestServer server, string caller)
    {
        using var response = await CallAsync(server, "wipe", caller);
        return response.StatusCode;
    }

    private static Task<HttpResponseMessage> CallAsync(TestServer server, string tool, string caller = "ann") =>
        server.PostAsync($"/tools/{tool}", """{"what":"a"}""", headers: (TestCaller.Header, caller));

    private static Task<string> TextAsync(HttpResponseMessage response) =>
        response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
