using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Pages;

/// <summary>The pages over HTTP: which addresses they name, and the headers that they come with.</summary>
public sealed partial class PageTests
{
    [Theory]
    [InlineData(
        "all",
        "/mcp /openapi.json /api/mcp/v1/tools /sse",
        "scalar openapi.json health status metrics console"
    )]
    [InlineData("sse", "/mcp /sse", "health status metrics console")]
    [InlineData("rest", "/openapi.json /api/mcp/v1/tools", "scalar openapi.json health status metrics console")]
    public async Task The_start_page_names_what_is_mapped(string mode, string addresses, string links)
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("mode", mode));

        var page = await server.Http.GetStringAsync(new Uri(server.Url, "/"), TestContext.Current.CancellationToken);

        Assert.Equal(
            addresses
                .Split(' ')
                .Select(path => server.BaseUrl + path)
                .Append("dotnet run --project /path/to/MinimalMcp.csproj --no-launch-profile -- --stdio"),
            Copied().Matches(page).Select(match => match.Groups[1].Value)
        );
        Assert.Equal(links.Split(' '), Links(page));
        foreach (var link in links.Split(' '))
        {
            Assert.Equal(HttpStatusCode.OK, (await GetAsync(server, "/" + link)).StatusCode);
        }
    }

    [Fact]
    public async Task The_public_address_is_named_and_http_is_said_to_be_too_little_for_ChatGPT()
    {
        await using var local = TestServer.Start(NotesTools.Alone);
        await using var world = TestServer.Start(NotesTools.Alone, ("Server:PublicUrl", "https://mcp.example.com/"));

        var here = await local.Http.GetStringAsync(local.Url, TestContext.Current.CancellationToken);
        var there = await world.Http.GetStringAsync(world.Url, TestContext.Current.CancellationToken);

        Assert.Contains("ChatGPT needs https", here);
        Assert.Contains("PUBLIC_URL", here);
        Assert.DoesNotContain("ChatGPT needs https", there);
        Assert.Contains("https://mcp.example.com/mcp", there);
        Assert.DoesNotContain("127.0.0.1", there);
    }

    [Fact]
    public async Task With_keys_the_pages_open_without_one_and_link_only_to_what_does_too()
    {
        await using var server = TestServer.Start(
            services => services.AddSingleton(new MinimalMcp.Tools.UnconfiguredFamily("weather", "Weather")),
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKey", "0123456789abcdefghijklmnopqrstuvwxyz")
        );

        var page = await server.Http.GetStringAsync(server.Url, TestContext.Current.CancellationToken);

        Assert.Equal(["scalar", "openapi.json", "health", "console"], Links(page));
        server.Http.DefaultRequestHeaders.Accept.ParseAdd("text/html"); // pages of operators lead to the sign-in
        Assert.Contains("authentication: api-key", page);
        Assert.Contains("API Key, of type Bearer", page);
        Assert.DoesNotContain("weather", page); // what is not configured is for those who run the server
        foreach (var path in Links(page).Concat(Files(page)))
        {
            Assert.Equal(HttpStatusCode.OK, (await GetAsync(server, "/" + path)).StatusCode);
        }
    }

    [Theory]
    [InlineData("/", "style-src 'self';")]
    [InlineData("/scalar", "style-src 'self' 'unsafe-inline';")]
    [InlineData("/docs", "style-src 'self' 'unsafe-inline';")]
    public async Task A_page_lets_in_only_its_own_files_and_is_not_kept(string path, string styles)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var get = await GetAsync(server, path);
        using var head = await server.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Head, path),
            TestContext.Current.CancellationToken
        );

        var policy = get.Headers.GetValues("Content-Security-Policy").Single();
        Assert.All(
            [
                "default-src 'none';",
                styles,
                "connect-src 'self';",
                "frame-ancestors 'none';",
                "base-uri 'none';",
                "form-action 'none'",
            ],
            part => Assert.Contains(part, policy)
        );
        var scripts = ScriptSources().Match(policy).Groups[1].Value;
        Assert.Equal(path == "/" ? "'self'" : $"'nonce-{Nonces(await TextAsync(get)).Distinct().Single()}'", scripts);
        Assert.Equal("nosniff", get.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", get.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("no-store", get.Headers.CacheControl!.ToString());
        Assert.Equal("text/html; charset=utf-8", get.Content.Headers.ContentType!.ToString());
        Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        using var post = await server.PostAsync(path, "{}");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    [Theory]
    [InlineData("/", "start.css", "text/css")]
    [InlineData("/", "start.js", "text/javascript")]
    public async Task A_file_is_compressed_kept_for_ever_under_its_address_and_else_asked_about(
        string page,
        string name,
        string type
    )
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var html = await server.Http.GetStringAsync(new Uri(server.Url, page), TestContext.Current.CancellationToken);
        var address = "/" + Files(html).Single(file => file.StartsWith("assets/" + name, StringComparison.Ordinal));

        using var packed = await GetAsync(server, address, "gzip");
        using var plain = await GetAsync(server, "/assets/" + name);
        using var same = await GetAsync(server, address, "gzip", packed.Headers.ETag);
        using var other = await GetAsync(server, address, null, packed.Headers.ETag);
        using var head = await server.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Head, "/assets/" + name),
            TestContext.Current.CancellationToken
        );

        Assert.Equal("public, max-age=31536000, immutable", packed.Headers.CacheControl!.ToString());
        Assert.Equal("no-cache", plain.Headers.CacheControl!.ToString());
        Assert.Equal(
            (type, "gzip"),
            (packed.Content.Headers.ContentType!.MediaType, packed.Content.Headers.ContentEncoding.Single())
        );
        Assert.False(packed.Headers.ETag!.IsWeak);
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode); // not the form that was asked about
        Assert.Equal(plain.Headers.ETag, head.Headers.ETag);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("Accept-Encoding", packed.Headers.Vary.Single());
        await using var unpacked = new GZipStream(
            await packed.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken),
            CompressionMode.Decompress
        );
        using var reader = new StreamReader(unpacked);
        var text = await plain.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(packed.Content.Headers.ContentLength < text.Length);
        Assert.Equal(text, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/assets/none.js")]
    [InlineData("/assets/..%2fappsettings.json")]
    [InlineData("/assets/StartPage")]
    [InlineData("/scalar/nothing")]
    [InlineData("/nothing")]
    public async Task What_is_not_there_is_404(string path)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(server, path)).StatusCode);
    }

    [Fact]
    public async Task The_explorers_script_is_compressed_and_kept_for_ever_under_the_address_of_its_version()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var page = await server.Http.GetStringAsync(
            new Uri("/scalar", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        var address = "/scalar/" + Script().Match(page).Groups[1].Value;

        using var packed = await GetAsync(server, address, "gzip");
        using var plain = await GetAsync(server, "/scalar/scalar.js");
        using var other = await GetAsync(server, "/scalar/scalar.js?v=other", "gzip");
        using var same = await GetAsync(server, address, "gzip", packed.Headers.ETag);

        Assert.Equal("public, max-age=31536000, immutable", packed.Headers.CacheControl!.ToString());
        Assert.Equal("no-cache", plain.Headers.CacheControl!.ToString());
        Assert.Equal("no-cache", other.Headers.CacheControl!.ToString());
        Assert.Equal("gzip", packed.Content.Headers.ContentEncoding.Single());
        Assert.Equal("text/javascript", packed.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", packed.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        Assert.InRange(
            (await plain.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length,
            1_000_000,
            10_000_000
        );
        Assert.InRange(packed.Content.Headers.ContentLength!.Value, 100_000, 2_000_000);
    }

    [Theory]
    [InlineData("/scalar")]
    [InlineData("/scalar/")]
    [InlineData("/docs")]
    [InlineData("/docs/")]
    public async Task Every_address_of_the_explorer_leads_to_the_page_and_keeps_the_query(string path)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var answer = await GetAsync(server, path + "?family=notes&x=</script>'\"<b>");
        using var second = await GetAsync(server, path);
        var page = await TextAsync(answer);

        Assert.Equal("/scalar/", answer.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Contains("openapi.json?family=notes", page);
        Assert.DoesNotContain("<b>", page);
        Assert.Equal(3, Nonces(page).Count());
        Assert.NotEqual(Nonces(page).Distinct().Single(), Nonces(await TextAsync(second)).Distinct().Single());
    }

    [Fact]
    public async Task Where_plain_HTTP_is_off_the_explorer_says_how_to_get_it()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("mode", "sse"));

        using var answer = await GetAsync(server, "/scalar");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("--mode all", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task<HttpResponseMessage> GetAsync(
        TestServer server,
        string path,
        string? encoding = null,
        EntityTagHeaderValue? tag = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (encoding is not null)
        {
            request.Headers.AcceptEncoding.ParseAdd(encoding);
        }

        if (tag is not null)
        {
            request.Headers.IfNoneMatch.Add(tag);
        }

        return await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static Task<string> TextAsync(HttpResponseMessage answer) =>
        answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    private static IEnumerable<string> Nonces(string page) =>
        Nonce().Matches(page).Select(match => match.Groups[1].Value);

    private static IEnumerable<string> Links(string page) =>
        Linked().Matches(page).Select(match => match.Groups[1].Value);

    private static IEnumerable<string> Files(string page) =>
        Loaded().Matches(page).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"\bnonce=""([\w-]{32,})""")]
    private static partial Regex Nonce();

    [GeneratedRegex(@"<script src=""(scalar\.js\?v=[0-9a-f]+)""")]
    private static partial Regex Script();

    [GeneratedRegex("script-src ([^;]*);")]
    private static partial Regex ScriptSources();

    [GeneratedRegex("data-copy=\"([^\"]*)\"")]
    private static partial Regex Copied();

    [GeneratedRegex("<li><a href=\"([^\"?]*)\"")]
    private static partial Regex Linked();

    [GeneratedRegex("(?:src|href)=\"(assets/[^\"]*|logo.svg)\"")]
    private static partial Regex Loaded();
}
