using System.Text;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Tests.Outgoing;

namespace MinimalMcp.Tests.Auth.Tokens;

/// <summary>
/// What strangers may make the server fetch: nothing that only its own network can see, and nothing large, slow or
/// elsewhere.
/// </summary>
public sealed class SafeFetchTests
{
    private const int MaxBytes = 1024;

    [Theory]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://127.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://localhost/")]
    [InlineData("https://LOCALHOST/")]
    [InlineData("https://0/")]
    [InlineData("https://0.0.0.0/")]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://172.16.0.1/")]
    [InlineData("https://172.31.255.255/")]
    [InlineData("https://192.168.1.1/")]
    [InlineData("https://100.64.0.1/")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://2852039166/")]
    [InlineData("https://192.0.0.192/")]
    [InlineData("https://198.18.0.1/")]
    [InlineData("https://203.0.113.9/")]
    [InlineData("https://224.0.0.1/")]
    [InlineData("https://255.255.255.255/")]
    [InlineData("https://[::]/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[::ffff:a9fe:a9fe]/")]
    [InlineData("https://[::127.0.0.1]/")]
    [InlineData("https://[64:ff9b::10.0.0.1]/")]
    [InlineData("https://[64:ff9b:1::1]/")]
    [InlineData("https://[2002:7f00:1::]/")]
    [InlineData("https://[2001::1]/")]
    [InlineData("https://[2001:db8::1]/")]
    [InlineData("https://[fe80::1]/")]
    [InlineData("https://[fc00::1]/")]
    [InlineData("https://[fd12:3456::1]/")]
    [InlineData("https://[fec0::1]/")]
    [InlineData("https://[ff02::1]/")]
    public async Task An_address_that_is_not_public_is_never_dialled(string address)
    {
        using var fetch = new SafeFetch();

        var refused = await RefusedAsync(fetch, address);

        Assert.Contains("address that is not public", refused.Message);
    }

    // Whether these are names at all depends on the machine.
    [Theory]
    [InlineData("https://localhost./")]
    [InlineData("https://①②⑦.⓪.⓪.①/")]
    [InlineData("https://127.0.0.1.nip.invalid/")]
    public async Task A_name_that_could_be_one_of_ours_is_not_dialled_either(string address)
    {
        using var fetch = new SafeFetch();

        Assert.Matches("not public|cannot be reached", (await RefusedAsync(fetch, address)).Message);
    }

    [Theory]
    [InlineData("http://93.184.216.34/")]
    [InlineData("http://127.0.0.1/")]
    [InlineData("https://user@93.184.216.34/")]
    [InlineData("https://user:password@93.184.216.34/")]
    [InlineData("ftp://93.184.216.34/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://93.184.216.34/")]
    [InlineData("data:application/json,{}")]
    public async Task Anything_but_https_without_a_user_name_is_refused(string address)
    {
        using var fetch = new SafeFetch();

        var refused = await RefusedAsync(fetch, address);

        Assert.Contains("must be https", refused.Message);
        Assert.DoesNotContain("password", refused.Message);
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.15.255.255", true)]
    [InlineData("172.32.0.0", true)]
    [InlineData("100.63.255.255", true)]
    [InlineData("100.128.0.0", true)]
    [InlineData("223.255.255.255", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("2a00:1450:4001::200e", true)]
    [InlineData("240.0.0.1", false)]
    [InlineData("192.88.99.1", false)]
    [InlineData("3fff::1", false)]
    [InlineData("4000::1", false)]
    public void Public_is_what_is_handed_out_to_everybody(string address, bool expected) =>
        Assert.Equal(expected, PublicAddress.Is(System.Net.IPAddress.Parse(address)));

    [Fact]
    public async Task A_small_document_is_read_without_cookies_and_without_a_name_of_ours()
    {
        await using var server = RawServer.Start(
            "HTTP/1.1 200 OK\r\nContent-Type: application/jwk-set+json\r\nSet-Cookie: a=b\r\nContent-Length: "
                + "2\r\n\r\n{}"
        );
        using var fetch = new SafeFetch(UrlSource.Test);

        Assert.Equal(
            "{}",
            Encoding.UTF8.GetString(
                await fetch.GetAsync(new(server.Url), MaxBytes, TestContext.Current.CancellationToken)
            )
        );
        Assert.Equal(
            "{}",
            Encoding.UTF8.GetString(
                await fetch.GetAsync(new(server.Url), MaxBytes, TestContext.Current.CancellationToken)
            )
        );

        Assert.All(server.Requests, request => Assert.DoesNotContain("Cookie", request));
    }

    [Theory]
    [InlineData(
        "returned status 302; redirects are not followed",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    )]
    [InlineData("returned status 500", "HTTP/1.1 500 So\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("returned status 204", "HTTP/1.1 204 So\r\n\r\n")]
    [InlineData("not JSON", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("not JSON", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData(
        "more than 1024 bytes",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 268435456\r\n\r\n{"
    )]
    [InlineData("was interrupted", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{}")]
    [InlineData("was interrupted", "nonsense\r\n\r\n")]
    public async Task Any_other_answer_is_refused(string expected, string answer)
    {
        await using var server = RawServer.Start(async peer =>
        {
            await peer.SendAsync(answer);
            peer.Close();
        });
        using var fetch = new SafeFetch(UrlSource.Test);

        var refused = await RefusedAsync(fetch, server.Url);

        Assert.Contains(expected, refused.Message);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_document_without_an_end_is_read_as_far_as_it_may_go()
    {
        await using var server = RawServer.Start(async peer =>
        {
            await peer.SendAsync(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            );
            while (true)
            {
                await peer.SendAsync("400\r\n" + new string(' ', 1024) + "\r\n");
            }
        });
        using var fetch = new SafeFetch(UrlSource.Test);

        var refused = await RefusedAsync(fetch, server.Url);

        Assert.Contains("more than 1024 bytes", refused.Message);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up()
    {
        await using var server = RawServer.Start(peer => peer.HangAsync());
        using var fetch = new SafeFetch(UrlSource.Test);

        var refused = await RefusedAsync(fetch, server.Url);

        Assert.Contains("within 5 seconds", refused.Message);
    }

    [Fact]
    public async Task A_caller_who_leaves_is_not_told_of_a_failure()
    {
        await using var server = RawServer.Start(peer => peer.HangAsync());
        using var fetch = new SafeFetch(UrlSource.Test);
        using var leaving = new CancellationTokenSource();

        var fetched = fetch.GetAsync(new(server.Url), MaxBytes, leaving.Token);
        await Wait.Until(() => !server.Requests.IsEmpty);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetched);
    }

    private static Task<HttpRequestException> RefusedAsync(SafeFetch fetch, string address) =>
        Assert.ThrowsAnyAsync<HttpRequestException>(() =>
            fetch.GetAsync(new(address), MaxBytes, TestContext.Current.CancellationToken)
        );
}
