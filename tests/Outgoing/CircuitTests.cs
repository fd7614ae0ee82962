using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Outgoing;

/// <summary>What is an outage, of which system, and what a failed connection is reported as.</summary>
public sealed class CircuitTests
{
    [Theory]
    [InlineData(500)]
    [InlineData(501)]
    [InlineData(503)]
    public async Task An_error_that_the_system_itself_explains_is_no_outage_and_is_not_sent_again(int status)
    {
        await using var alpha = RawServer.Start(RawServer.Refusal(status));
        await using var server = OutgoingServer.Start(alpha);

        for (var call = 0; call < 15; call++)
        {
            Assert.DoesNotContain("none was sent", await server.FailAsync());
        }

        Assert.Equal(15, alpha.Requests.Count);
        Assert.Contains(server.Log, line =>
            line.StartsWith("Upstream request failed Alpha GET /things/1", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_gateway_that_explains_in_JSON_still_has_an_outage_behind_it()
    {
        await using var alpha = RawServer.Start(RawServer.Refusal(502));
        await using var server = OutgoingServer.Start(alpha);

        for (var call = 0; call < 10; call++)
        {
            await server.FailAsync("POST");
        }

        Assert.Contains("none was sent since", await server.FailAsync("POST"));
    }

    [Fact]
    public async Task Of_several_systems_behind_one_address_each_has_its_own_circuit()
    {
        await using var alpha = RawServer.Start(RawServer.Status(500));
        await using var server = OutgoingServer.Start(alpha);
        for (var call = 0; call < 10; call++)
        {
            await server.FailAsync(circuit: "environment 2");
        }

        Assert.Contains("Alpha environment 2 failed most requests", await server.FailAsync(circuit: "environment 2"));
        Assert.Equal(10, alpha.Requests.Count);
        alpha.Answer = peer => peer.SendAsync(RawServer.Ok("{}"));
        Assert.Equal(200, (await server.AskAsync(circuit: "environment 1")).Status);
        Assert.Equal(200, (await server.AskAsync()).Status);
    }

    [Fact]
    public async Task Made_up_systems_do_not_fill_the_memory_and_open_circuits_stay_open()
    {
        await using var alpha = RawServer.Start(RawServer.Status(500));
        await using var server = OutgoingServer.Start(alpha);
        for (var call = 0; call < 10; call++)
        {
            await server.FailAsync(circuit: "environment 2");
        }

        alpha.Answer = peer => peer.SendAsync(RawServer.Ok("{}"));
        for (var call = 0; call < 200; call++)
        {
            Assert.Equal(200, (await server.AskAsync(circuit: $"environment {call + 10}")).Status);
        }

        Assert.Contains("none was sent since", await server.FailAsync(circuit: "environment 2"));
    }

    [Theory]
    [InlineData("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")]
    [InlineData(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 75\r\n\r\n"
            + "<center>The plain HTTP request was sent to HTTPS port</center><hr>nginx<hr>"
    )]
    [InlineData("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1:9443/\r\nContent-Length: 0\r\n\r\n")]
    public async Task Plain_HTTP_to_a_port_with_TLS_is_reported_with_the_right_address(string answer)
    {
        await using var alpha = RawServer.Start(async peer =>
        {
            await peer.SendAsync(answer);
            peer.Close();
        });
        await using var server = OutgoingServer.Start(alpha);

        Assert.Contains(
            $"Alpha wants TLS. Set Alpha:Url to {alpha.Url.Replace("http:", "https:", StringComparison.Ordinal)}",
            await server.FailAsync()
        );
    }

    [Fact]
    public async Task Another_400_keeps_its_body_for_the_family()
    {
        await using var alpha = RawServer.Start(RawServer.Status(400));
        await using var server = OutgoingServer.Start(alpha);

        Assert.Contains("400", await server.FailAsync());
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", false)]
    [InlineData("any", true)]
    [InlineData("{fingerprint}", true)]
    public async Task Every_upstream_takes_a_certificate_by_the_fingerprint_in_its_section(string setting, bool isTaken)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=alpha", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UnixEpoch,
            DateTimeOffset.UnixEpoch.AddYears(200)
        );
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.UseHttps(certificate))
        );
        await using var upstream = builder.Build();
        upstream.MapGet("/things/1", () => Results.Json(new { }));
        await upstream.StartAsync(TestContext.Current.CancellationToken);
        await using var alpha = RawServer.Start(RawServer.Ok("{}"));
        await using var server = OutgoingServer.Start(
            alpha,
            services =>
                services.AddHttpClient("AlphaClient", client => client.BaseAddress = new(upstream.Urls.Single())),
            (
                "Alpha:Certificate",
                setting.Replace(
                    "{fingerprint}",
                    certificate.GetCertHashString(HashAlgorithmName.SHA256),
                    StringComparison.Ordinal
                )
            )
        );

        if (isTaken)
        {
            Assert.Equal(200, (await server.AskAsync()).Status);
        }
        else
        {
            var error = await server.FailAsync();
            Assert.Contains("set Alpha:Certificate to its SHA-256 fingerprint", error);
            Assert.Contains("SSL_CERT_FILE", error);
        }
    }
}
