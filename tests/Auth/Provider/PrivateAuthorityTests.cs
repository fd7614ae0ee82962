using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>An identity provider whose certificate no public authority has signed.</summary>
public sealed class PrivateAuthorityTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_log_names_SSL_CERT_FILE_and_with_it_the_provider_is_trusted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "OpenSSL reads SSL_CERT_FILE; other systems have stores");
        using var certificate = new TestCertificate("localhost");
        await using var provider = await StartAsync(certificate);
        var issuer = provider.Urls.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

        var (refused, log) = await AskAsync(issuer, authority: "");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused);
        Assert.Contains("has a certificate that this machine does not trust", log);
        Assert.Contains("set SSL_CERT_FILE to a file with its certificate", log);

        var (trusted, quiet) = await AskAsync(issuer, certificate.Path);
        Assert.Equal(HttpStatusCode.OK, trusted);
        Assert.DoesNotContain("SSL_CERT_FILE", quiet);
    }

    private static async Task<(HttpStatusCode Status, string Log)> AskAsync(string issuer, string authority)
    {
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        await using var server = ServerProcess.Start(
            ["--urls", url],
            new Dictionary<string, string>(ProgramTools.Notes)
            {
                ["MCP_AUTH_MODE"] = "oauth2",
                ["OAUTH2_ISSUER"] = issuer,
                ["OAUTH2_AUDIENCE"] = "https://mcp.example.com",
                ["OAUTH2_JWKS_URI"] = issuer + "/keys",
                ["PUBLIC_URL"] = "https://mcp.example.com",
                ["OAUTH2_OPENID_CONFIG_URL"] = issuer + "/.well-known/openid-configuration",
                ["SSL_CERT_FILE"] = authority,
            }
        );
        using var http = new HttpClient();
        await Wait.Until(async () =>
        {
            try
            {
                using var live = await http.GetAsync(new Uri(url + "/health/live"), Stop);
                return live.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        using var answer = await http.GetAsync(new Uri(url + "/.well-known/oauth-authorization-server"), Stop);
        var (_, _, log) = await server.EndByTermAsync();
        return (answer.StatusCode, log);
    }

    private static async Task<WebApplication> StartAsync(TestCertificate certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseSetting("urls", "https://127.0.0.1:0");
        builder.WebHost.UseSetting("Kestrel:Certificates:Default:Path", certificate.Path);
        builder.WebHost.UseSetting("Kestrel:Certificates:Default:KeyPath", certificate.KeyPath);
        var app = builder.Build();
        app.MapGet("/keys", () => Results.Json(new { keys = Array.Empty<object>() }));
        app.MapGet("/.well-known/openid-configuration", (HttpContext http) =>
        {
            var issuer = $"https://localhost:{http.Connection.LocalPort}";
            return Results.Json(
                new
                {
                    issuer,
                    jwks_uri = issuer + "/keys",
                    authorization_endpoint = issuer + "/authorize",
                    token_endpoint = issuer + "/token",
                    response_types_supported = new[] { "code" },
                }
            );
        });
        await app.StartAsync(Stop);
        return app;
    }
}
