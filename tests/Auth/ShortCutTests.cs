using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Auth;

/// <summary>
/// The short cut in front of the framework's authentication answers every credential as the scheme does.
/// </summary>
public sealed class ShortCutTests
{
    private static readonly string Expired = "Hc5Tn8Vd2Kx7Wq4Zb9Ym3Rf6Lj1Gs0Pa";

    // Every form in which a credential comes: the headers of a request, and what its address has.
    private static readonly (string Name, string Query, (string Name, string Value)[] Headers)[] Forms =
    [
        ("nothing", "", []),
        ("a key", "", [("Authorization", "Bearer " + Modes.Key)]),
        ("a key that reads", "", [("Authorization", "Bearer " + Modes.Reader)]),
        ("a key in its own header", "", [("X-MCP-API-Key", Modes.Key)]),
        ("a key in both", "", [("Authorization", "Bearer " + Modes.Key), ("X-MCP-API-Key", Modes.Key)]),
        ("two keys", "", [("Authorization", "Bearer " + Modes.Key), ("X-MCP-API-Key", Modes.Reader)]),
        ("two headers", "", [("Authorization", "Bearer " + Modes.Key), ("Authorization", "Bearer " + Modes.Key)]),
        ("a key and a token", "", [("Authorization", "Bearer ann.read.x"), ("X-MCP-API-Key", Modes.Key)]),
        ("a scheme in lower case", "", [("Authorization", "bearer " + Modes.Key)]),
        ("spaces", "", [("Authorization", "Bearer   " + Modes.Key + "  ")]),
        ("no scheme", "", [("Authorization", Modes.Key)]),
        (
            "another scheme",
            "",
            [("Authorization", "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes("a:" + Modes.Key)))]
        ),
        ("DPoP", "", [("Authorization", "DPoP ann.admin.x")]),
        ("a scheme alone", "", [("Authorization", "Bearer")]),
        ("an empty key", "", [("X-MCP-API-Key", "")]),
        ("a wrong key", "", [("Authorization", "Bearer wrong")]),
        ("a wrong key of the right length", "", [("Authorization", "Bearer " + Modes.Key[1..] + "a")]),
        ("a key of another case", "", [("Authorization", "Bearer " + Modes.Key.ToUpperInvariant())]),
        ("a very long key", "", [("Authorization", "Bearer " + new string('a', 5000))]),
        ("a key that expired", "", [("Authorization", "Bearer " + Expired)]),
        ("a token that reads", "", [("Authorization", "Bearer ann.read.x")]),
        ("a token that may do everything", "", [("Authorization", "Bearer ann.admin.x")]),
        ("a token that may do nothing", "", [("Authorization", "Bearer ann.other.x")]),
        ("a token in the key's header", "", [("X-MCP-API-Key", "ann.admin.x")]),
        ("a token in the address", "?access_token=ann.admin.x", []),
        (
            "a token in the address and the header",
            "?access_token=ann.admin.x",
            [("Authorization", "Bearer ann.admin.x")]
        ),
        ("an expired token", "", [("Authorization", "Bearer expired.read.x")]),
        ("a foreign token", "", [("Authorization", "Bearer foreign.read.x")]),
        ("a token of a client that may not", "", [("Authorization", "Bearer stranger.read.x")]),
        ("a token that cannot be checked", "", [("Authorization", "Bearer offline.read.x")]),
        ("a token that is waited for", "", [("Authorization", "Bearer slow.read.x")]),
        ("no token", "", [("Authorization", "Bearer a.b.c")]),
    ];

    private static readonly string[] Paths =
    [
        "/tools/list_picked",
        "/tools/pick_note",
        "/mcp",
        "/api/mcp/v1/call",
        "/tools/no_such_tool",
    ];

    public static TheoryData<string> All => [.. Modes.All];

    [Theory, MemberData(nameof(All))]
    public async Task Both_answer_every_form_of_credential_the_same(string mode)
    {
        (string, string)[] settings = mode is "none"
            ? []
            : [("Auth:ApiKeys:old:Key", Expired), ("Auth:ApiKeys:old:Expires", "2020-01-01T00:00:00Z")];
        await using var shortCut = Modes.Start(mode, settings);
        // An application that changes who a caller is must be asked each time, so there is no short cut then.
        await using var scheme = Modes.Start(
            services =>
                TestTokens.WithNotes(services.Replace(ServiceDescriptor.Singleton<IClaimsTransformation, Same>())),
            mode,
            settings
        );
        var address = 0;
        foreach (var (name, query, headers) in Forms)
        {
            foreach (var path in Paths)
            {
                address++;
                for (var time = 1; time <= 2; time++) // the second time it may be known
                {
                    var one = await AskAsync(shortCut, path + query, headers, address);
                    var other = await AskAsync(scheme, path + query, headers, address);
                    Assert.True(one == other, $"{mode}, {name}, {path}, time {time}:\n{one}\n{other}");
                }
            }
        }
    }

    private static async Task<string> AskAsync(
        TestServer server,
        string path,
        (string Name, string Value)[] headers,
        int address
    )
    {
        const string Call = """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pick_note","arguments":{"code":"milk"}}}
            """;
        var content =
            path.StartsWith("/tools/pick", StringComparison.Ordinal) ? """{"code":"milk"}"""
            : path.StartsWith("/tools", StringComparison.Ordinal) ? "{}"
            : Call;
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new StringContent(content, Encoding.UTF8, "application/json");
        request.Headers.Add("X-Forwarded-For", $"203.0.113.{address % 250}");
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var said = answer
            .Headers.Where(header => header.Key is "WWW-Authenticate" or "Cache-Control" or "Retry-After")
            .Select(header => $"{header.Key}: {string.Join(", ", header.Value)}")
            .Order();
        var trace = body.IndexOf(",\"traceId\"", StringComparison.Ordinal); // of each request its own
        return $"{(int)answer.StatusCode}\n{string.Join('\n', said)}\n{(trace < 0 ? body : body[..trace])}".Replace(
            server.BaseUrl,
            "",
            StringComparison.Ordinal
        );
    }

    private sealed class Same : IClaimsTransformation
    {
        public Task<ClaimsPrincipal> TransformAsync(ClaimsPrincipal principal) => Task.FromResult(principal);
    }
}
