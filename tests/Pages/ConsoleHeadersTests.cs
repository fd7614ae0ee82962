using System.Net;
using MinimalMcp.Tests.Governance;

namespace MinimalMcp.Tests.Pages;

/// <summary>What the console's pages admit, and who may ask what they ask.</summary>
public sealed class ConsoleHeadersTests
{
    private const string Boss = "boss-0123456789abcdefghijklmnopqrstuvwxyz",
        Reader = "reader-0123456789abcdefghijklmnopqrstuvwx";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/api/v1/activity/stream")]
    [InlineData("GET", "/api/v1/activity")]
    [InlineData("GET", "/api/v1/sessions")]
    [InlineData("DELETE", "/api/v1/sessions/1")]
    [InlineData("GET", "/api/v1/metrics/summary")]
    [InlineData("GET", "/api/v1/audit?format=csv")]
    [InlineData("POST", "/api/v1/audit/verify")]
    [InlineData("POST", "/api/v1/tools/look/call")]
    public async Task What_the_pages_ask_is_closed_without_the_scope(string method, string path)
    {
        await using var server = Start();
        using var nobody = await SendAsync(server, new(method), path, null, "*/*");
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
        using var reader = await SendAsync(server, new(method), path, Reader, "*/*");
        Assert.Equal(HttpStatusCode.Forbidden, reader.StatusCode);
    }

    [Theory]
    [InlineData("/console")]
    [InlineData("/console/activity")]
    [InlineData("/console/sessions")]
    [InlineData("/console/tools")]
    [InlineData("/console/tools?tool=look")]
    [InlineData("/console/approvals")]
    [InlineData("/console/audit")]
    public async Task Pages_are_in_no_frame_run_no_script_of_others_and_are_kept_nowhere(string path)
    {
        await using var server = Start();
        using var page = await SendAsync(server, HttpMethod.Get, path, Boss, "text/html");

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", page.Headers.CacheControl!.ToString());
        var html = await page.Content.ReadAsStringAsync(Stop);
        Assert.DoesNotContain(" style=", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<style", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(" onclick", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("://", html.Replace("http://www.w3.org", "", StringComparison.Ordinal));
    }

    private static TestServer Start() =>
        GovernedTools.Start(
            new(),
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:boss:Key", Boss),
            ("Auth:ApiKeys:boss:Scopes", "mcp:admin"),
            ("Auth:ApiKeys:reader:Key", Reader),
            ("Auth:ApiKeys:reader:Scopes", "mcp:execute")
        );

    private static async Task<HttpResponseMessage> SendAsync(
        TestServer server,
        HttpMethod method,
        string path,
        string? key,
        string accept
    )
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = server.Url,
            Timeout = Wait.Limit,
        };
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Accept.ParseAdd(accept);
        if (key is not null)
        {
            request.Headers.Authorization = new("Bearer", key);
        }

        request.Content = method == HttpMethod.Post ? TestServer.Json(new { }) : null;
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
    }
}
