using System.Net;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>Tokens of a real identity provider, good and forged with its own keys, at the front door.</summary>
[Slow]
public sealed class CorpusTests(CorpusTests.Providers providers) : IClassFixture<CorpusTests.Providers>
{
    public static TheoryData<string, string> Tokens =>
        [
            .. Corpus.Rows.SelectMany(row =>
                row.Sets.Split(' ').Select(set => new TheoryDataRow<string, string>(set, row.Name))
            ),
        ];

    [Theory, MemberData(nameof(Tokens))]
    public async Task A_token_gets_its_verdict(string set, string name)
    {
        var (server, forge) = await providers.OfAsync(set);
        var row = Corpus.Rows.Single(row => row.Name == name);
        var token = row.Make(forge);
        using var answer = await server.PostAsync(
            "/tools/list_picked",
            "{}",
            headers: ("Authorization", "Bearer " + token)
        );
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        if (row.Accept)
        {
            Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{answer.StatusCode} {text}");
            return;
        }

        // What is longer than all headers may be together does not get as far as the verifier.
        Assert.Equal(
            token.Length > 32 * 1024 ? HttpStatusCode.RequestHeaderFieldsTooLarge : HttpStatusCode.Unauthorized,
            answer.StatusCode
        );
        if (answer.StatusCode is HttpStatusCode.Unauthorized)
        {
            Assert.Contains("error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString());
            Assert.Matches("\"detail\":\"The token (is|was|has|names|does not)[^\"]*\\.\"", text);
            Assert.DoesNotContain("anna", text);
        }
    }

    public static TheoryData<string, string> GoodTokens =>
        [
            .. from row in Corpus.Rows
            where row.Accept
            from set in row.Sets.Split(' ')
            select new TheoryDataRow<string, string>(set, row.Name),
        ];

    // Of the good ones only: it accepts many of the bad ones too, so the server has its own
    // (docs/reference/dependencies.md).
    [Theory, MemberData(nameof(GoodTokens))]
    public async Task The_verifier_of_another_make_takes_a_good_token_too(string set, string name)
    {
        var forge = new Forge("https://issuer.example", Providers.Sets[set]);
        var keys = string.Join(',', Providers.Sets[set].Select(key => key.Public.ToJsonString()));
        var expected = new TokenValidationParameters
        {
            ValidIssuer = forge.Issuer,
            ValidAudiences = [Forge.Audience, Forge.SecondAudience],
            IssuerSigningKeys = JsonWebKeySet.Create($$"""{"keys":[{{keys}}]}""").GetSigningKeys(),
            ClockSkew = TimeSpan.FromSeconds(60),
        };
        var verifier = new JsonWebTokenHandler();
        var token = Corpus.Rows.Single(row => row.Name == name).Make(forge);

        var verdict = await verifier.ValidateTokenAsync(token, expected);
        expected.ValidIssuer = "https://other.example";
        var ofAnother = await verifier.ValidateTokenAsync(token, expected);

        Assert.True(verdict.IsValid, verdict.Exception?.Message);
        Assert.IsType<SecurityTokenInvalidIssuerException>(ofAnother.Exception);
    }

    [Fact]
    public void They_are_more_than_two_hundred()
    {
        Assert.InRange(Corpus.Rows.Sum(row => row.Sets.Split(' ').Length), 500, int.MaxValue);
        Assert.Equal(Corpus.Rows.Length, Corpus.Rows.Select(row => row.Name).Distinct().Count());
    }

    /// <summary>One provider and one server for each set of keys, for all tokens.</summary>
    public sealed class Providers : IAsyncLifetime
    {
        internal static readonly Dictionary<string, TestKey[]> Sets = new()
        {
            ["RSA"] = [TestKey.New("rs", "RS256")],
            ["EC"] = [TestKey.New("es", "ES256")],
            ["mixed"] =
            [
                TestKey.New("rs", "RS256"),
                TestKey.New("rs2", "RS256"),
                TestKey.New("ps", "PS256"),
                TestKey.New("es", "ES256"),
                TestKey.New("es384", "ES384"),
                TestKey.New("es512", "ES512"),
                TestKey.NewEd25519("ed"),
                TestKey.New("weak", "RS256", bits: 1024),
                TestKey.New("enc", "RS256", use: "enc"),
            ],
        };

        private readonly List<IAsyncDisposable> _started = [];
        private Task<Dictionary<string, (TestServer Server, Forge Forge)>>? _starting;

        public ValueTask InitializeAsync() => default;

        // Where Node.js is missing each test says so, and not their class.
        internal async Task<(TestServer Server, Forge Forge)> OfAsync(string set) =>
            (await (_starting ??= StartAsync()))[set];

        private async Task<Dictionary<string, (TestServer Server, Forge Forge)>> StartAsync()
        {
            var provider = await NodeProcess.StartAsync(
                "identity-provider.mjs",
                Sets.Values.Select(keys => keys.Select(key => key.Jwk))
            );
            _started.Add(provider);
            var servers = new Dictionary<string, (TestServer Server, Forge Forge)>();
            foreach (
                var (set, issuer) in Sets.Keys.Zip(
                    provider.Answer.EnumerateArray().Select(issuer => issuer.GetString()!)
                )
            )
            {
                var server = TestServer.Start(
                    NotesTools.Alone,
                    ("Auth:Mode", "oauth2"),
                    ("Auth:Provider:Issuer", issuer),
                    ("Auth:Provider:Audience", $"{Forge.Audience}, {Forge.SecondAudience}"),
                    ("Auth:Provider:ScopeMap", "Mcp.Read=mcp:read")
                );
                _started.Add(server);
                servers.Add(set, (server, new(issuer, Sets[set])));
            }

            return servers;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var started in Enumerable.Reverse(_started))
            {
                await started.DisposeAsync();
            }
        }
    }
}
