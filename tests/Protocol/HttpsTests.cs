using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Where the server itself serves https, browsers stay there and nobody is answered by http.</summary>
[Slow]
public sealed class HttpsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Https_is_strict_and_http_leads_there()
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UnixEpoch,
            DateTimeOffset.UnixEpoch.AddYears(200)
        );
        var folder = Directory.CreateTempSubdirectory().FullName;
        var (crt, pem) = (Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
        await File.WriteAllTextAsync(crt, certificate.ExportCertificatePem(), Stop);
        await File.WriteAllTextAsync(pem, key.ExportPkcs8PrivateKeyPem(), Stop);
        var (plain, secure) = ($"http://127.0.0.1:{FreePort.Find()}", $"https://127.0.0.1:{FreePort.Find()}");
        await using var server = ServerProcess.Start(
            [],
            new Dictionary<string, string>
            {
                ["Kestrel__Endpoints__Plain__Url"] = plain,
                ["Kestrel__Endpoints__Secure__Url"] = secure,
                ["Kestrel__Endpoints__Secure__Certificate__Path"] = crt,
                ["Kestrel__Endpoints__Secure__Certificate__KeyPath"] = pem,
                ["PUBLIC_URL"] = "https://mcp.example.com",
            }
        );
        using var http = new HttpClient(
            new HttpClientHandler
            {
                AllowAutoRedirect = false,
                ServerCertificateCustomValidationCallback = (_, _, _, _) => true,
            }
        );
        await ServerProcess.ReadyAsync(http, plain); // which orchestrators ask by http
        await ServerProcess.ReadyAsync(http, secure); // one is bound after the other

        using var strict = await SendAsync(http, HttpMethod.Get, secure + "/tools");
        using var led = await SendAsync(http, HttpMethod.Post, plain + "/mcp?a=b");
        using var proxied = await SendAsync(
            http,
            HttpMethod.Get,
            plain + "/tools",
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-For", "203.0.113.1")
        );

        Assert.Equal(HttpStatusCode.OK, strict.StatusCode);
        Assert.StartsWith("max-age=", Assert.Single(strict.Headers.GetValues("Strict-Transport-Security")));
        Assert.Equal(HttpStatusCode.TemporaryRedirect, led.StatusCode);
        Assert.Equal($"https://mcp.example.com:{new Uri(secure).Port}/mcp?a=b", led.Headers.Location!.OriginalString);
        Assert.False(led.Headers.Contains("Strict-Transport-Security")); // RFC 6797 7.2: not by http
        Assert.Equal(HttpStatusCode.OK, proxied.StatusCode);
    }

    [Fact]
    public async Task Where_HTTP_3_is_asked_for_the_others_are_served_with_it_or_without()
    {
        using var certificate = new TestCertificate("localhost", "127.0.0.1");
        var url = $"https://127.0.0.1:{FreePort.Find()}";
        await using var server = ServerProcess.Start(
            [],
            new Dictionary<string, string>
            {
                ["Kestrel__Endpoints__Secure__Url"] = url,
                ["Kestrel__Endpoints__Secure__Protocols"] = "Http1AndHttp2AndHttp3",
                ["Kestrel__Endpoints__Secure__Certificate__Path"] = certificate.Path,
                ["Kestrel__Endpoints__Secure__Certificate__KeyPath"] = certificate.KeyPath,
            }
        );
        using var http = new HttpClient(
            new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true }
        );
        await ServerProcess.ReadyAsync(http, url);

        foreach (var version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url + "/health/live")
            {
                Version = version,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var answer = await http.SendAsync(request, Stop);
            Assert.Equal((HttpStatusCode.OK, version), (answer.StatusCode, answer.Version));
        }
    }

    [Theory]
    [InlineData(
        "Kestrel__Certificates__Default__Path=/no/such/tls.crt",
        "Kestrel:Certificates:Default:Path is '/no/such/tls.crt', and there is no such file."
    )]
    [InlineData(
        "Kestrel__Endpoints__A__Certificate__KeyPath=tls.key",
        "Kestrel:Endpoints:A:Certificate:KeyPath is 'tls.key', and there is no such file in "
    )]
    [InlineData("Kestrel__Certificates__Default__Path={0}", "cannot be read")]
    [InlineData("A=b", "An https address has no certificate.")]
    public async Task A_certificate_that_cannot_be_had_is_a_sentence(string setting, string expected)
    {
        var notOne = Path.GetTempFileName();
        await File.WriteAllTextAsync(notOne, "no certificate", Stop);
        var (name, value) = (setting.Split('=')[0], setting.Split('=')[1]);
        value = value.Replace("{0}", notOne, StringComparison.Ordinal);

        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls", "https://127.0.0.1:0"],
            new Dictionary<string, string> { [name] = value }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain("   at ", errors);
    }

    [Fact]
    public async Task Without_https_of_its_own_a_server_leaves_it_to_the_proxy()
    {
        await using var server = TestServer.Start(("Server:PublicUrl", "https://mcp.example.com"));

        using var answer = await server.Http.GetAsync("/tools", Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Strict-Transport-Security"));
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient http,
        HttpMethod method,
        string url,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, url) { Headers = { Host = "mcp.example.com" } };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await http.SendAsync(request, Stop);
    }
}
