using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>Sends every row of bad-requests.md and compares the answer.</summary>
public sealed class BadRequestTests(BadRequestTests.Servers servers) : IClassFixture<BadRequestTests.Servers>
{
    private static int _address;

    public static TheoryData<string, string> Rows =>
        [.. BadRequest.ReadAll().Select(row => new TheoryDataRow<string, string>(row.Table, row.Name))];

    [Fact]
    public void The_table_is_read_whole_and_has_no_row_twice()
    {
        var rows = BadRequest.ReadAll().ToArray();
        Assert.InRange(rows.Length, 350, int.MaxValue);
        Assert.Equal(rows.Length, rows.Select(row => (row.Table, row.Name)).Distinct().Count());
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Is_answered_as_the_table_says(string table, string name)
    {
        var row = BadRequest.ReadAll().Single(row => (row.Table, row.Name) == (table, name));
        await using var run = new Run(
            servers,
            row,
            $"10.{Interlocked.Increment(ref _address) / 250}.0.{_address % 250}"
        );
        var tableRun = table switch
        {
            "authorize" or "ssrf" => run.AuthorizeAsync(),
            "consent" => run.ConsentAsync(),
            "token" => run.CodeAsync(),
            "gpt-action" => run.ActionAsync(),
            "refresh" => run.RefreshAsync(),
            "client-credentials" => run.FormAsync(
                "/auth/token",
                [
                    ("grant_type", "client_credentials"),
                    ("client_id", "machine"),
                    ("client_secret", OAuthServer.Secret + "2"),
                    ("scope", "mcp:read"),
                ]
            ),
            "register" => run.RegisterAsync(),
            "cimd" => run.DocumentAsync(),
            "assertion" => run.AssertionAsync(),
            "revoke" => run.RevokeAsync(),
            "introspect" => run.IntrospectAsync(),
            "bearer" => run.BearerAsync(),
            _ => throw new InvalidOperationException(table),
        };
        await tableRun;
    }

    public sealed class Servers : IAsyncLifetime
    {
        internal OAuthServer OAuth { get; private set; } = null!;

        /// <summary>Fetches as the running program does.</summary>
        internal OAuthServer Strict { get; private set; } = null!;

        internal DocumentHost Documents { get; private set; } = null!;

        internal string Registered { get; private set; } = "";

        internal string Native { get; private set; } = "";

        internal JsonElement Tokens { get; private set; }

        public async ValueTask InitializeAsync()
        {
            Documents = await DocumentHost.StartAsync();
            OAuth = OAuthServer.Start(
                services => services.AddKeyedSingleton(ClientMetadataDocuments.Key, new SafeFetch(UrlSource.Test)),
                ("Auth:Server:RedirectHosts", "claude.ai, vscode.dev")
            );
            Strict = OAuthServer.Start();
            Registered = await OAuth.RegisterAsync();
            Native = await OAuth.RegisterAsync(OAuthServer.Loopback);
            Tokens = await OAuth.SignInAsync("public");
        }

        public async ValueTask DisposeAsync()
        {
            await OAuth.DisposeAsync();
            await Strict.DisposeAsync();
            await Documents.DisposeAsync();
        }
    }

    /// <summary>One row: what it needs is made, the request is sent, and the answer compared.</summary>
    private sealed class Run(Servers servers, BadRequest row, string address) : IAsyncDisposable
    {
        private readonly OAuthServer _oauth = (row.Table == "ssrf" ? servers.Strict : servers.OAuth).Visitor(address);
        private readonly Dictionary<string, string> _variables = [];
        private string _sentState = "";

        private static CancellationToken Stop => TestContext.Current.CancellationToken;

        public ValueTask DisposeAsync() => _oauth.DisposeAsync();

        public async Task AuthorizeAsync()
        {
            List<(string Name, string Value)> parameters =
            [
                ("response_type", "code"),
                ("client_id", "public"),
                ("redirect_uri", OAuthServer.ChatGpt),
                ("state", "a b&c"),
                ("scope", "mcp:read mcp:write"),
                ("resource", _oauth.Resource),
                ("code_challenge", OAuthServer.ChallengeOf(OAuthServer.Verifier)),
                ("code_challenge_method", "S256"),
            ];
            row.Apply(parameters, Variable);
            _sentState = parameters.FirstOrDefault(parameter => parameter.Name == "state").Value ?? "";
            var query = string.Join(
                '&',
                parameters.Select(parameter =>
                    parameter.Name
                    + "="
                    + (parameter.Value.Contains('%') ? parameter.Value : Uri.EscapeDataString(parameter.Value))
                )
            );
            using var answer = await _oauth.GetAsync("/auth/authorize?" + query);
            await CheckAsync(answer, row.Answer);
        }

        public async Task ConsentAsync()
        {
            await using var stranger = _oauth.Visitor(address);
            await stranger.OpenPageAsync("public");
            _variables["stranger"] = stranger.Cookie!;
            _variables["ticket"] = await _oauth.OpenPageAsync("public");
            _sentState = "s&t=1";
            await FormAsync(
                "/auth/authorize",
                [("ticket", _variables["ticket"]), ("password", OAuthServer.Key), ("decision", "allow")]
            );
        }

        public async Task CodeAsync()
        {
            _variables["code"] = (await _oauth.AuthorizeAsync("public"))["code"];
            await FormAsync(
                "/auth/token",
                [
                    ("grant_type", "authorization_code"),
                    ("client_id", "public"),
                    ("code", _variables["code"]),
                    ("code_verifier", OAuthServer.Verifier),
                ]
            );
        }

        public async Task ActionAsync()
        {
            var code = (
                await _oauth.AuthorizeAsync(
                    "gpt-action",
                    changes:
                    [
                        ("redirect_uri", OAuthServer.ActionAddress),
                        ("code_challenge", null),
                        ("code_challenge_method", null),
                        ("resource", null),
                    ]
                )
            )["code"];
            await FormAsync(
                "/auth/token",
                [
                    ("grant_type", "authorization_code"),
                    ("client_id", "gpt-action"),
                    ("client_secret", OAuthServer.Secret),
                    ("code", code),
                    ("redirect_uri", OAuthServer.ActionAddress),
                ]
            );
        }

        public async Task RefreshAsync()
        {
            var tokens = await _oauth.SignInAsync("public");
            _variables["code"] = (await _oauth.AuthorizeAsync("public"))["code"];
            await FormAsync(
                "/auth/token",
                [
                    ("grant_type", "refresh_token"),
                    ("client_id", "public"),
                    ("refresh_token", tokens.GetProperty("refresh_token").GetString()!),
                ]
            );
        }

        public async Task RevokeAsync()
        {
            var tokens = await _oauth.SignInAsync("public");
            _variables["access"] = tokens.GetProperty("access_token").GetString()!;
            _variables["forged"] = _variables["access"][..^4] + "AAAA";
            var refresh = tokens.GetProperty("refresh_token").GetString()!;
            await FormAsync("/auth/revoke", [("token", refresh), ("client_id", "public")], () =>
                _oauth.RefreshAsync("public", refresh)
            );
        }

        public async Task IntrospectAsync()
        {
            var access = servers.Tokens.GetProperty("access_token").GetString()!;
            _variables["forged"] = access[..^4] + "AAAA";
            await FormAsync(
                "/auth/introspect",
                [("token", access), ("client_id", "machine"), ("client_secret", OAuthServer.Secret + "2")]
            );
        }

        public async Task FormAsync(
            string path,
            List<(string Name, string Value)> good,
            Func<Task<HttpResponseMessage>>? afterwards = null
        )
        {
            var parameters = good.ToList();
            var others = row.Apply(parameters, Variable);
            using var request = new HttpRequestMessage(HttpMethod.Post, path);
            var form = new FormUrlEncodedContent(
                parameters
                    .Concat(others.Contains("many:") ? Enumerable.Range(0, 40).Select(n => ($"p{n}", "x")) : [])
                    .Select(field => KeyValuePair.Create(field.Item1, field.Item2))
            );
            request.Content = form;
            if (others.Contains("json:"))
            {
                request.Content = new StringContent(
                    JsonSerializer.Serialize(parameters.ToDictionary(field => field.Name, field => field.Value)),
                    Encoding.UTF8,
                    "application/json"
                );
            }
            else if (others.Contains("query:"))
            {
                request.RequestUri = new(path + "?" + await form.ReadAsStringAsync(Stop), UriKind.Relative);
                request.Content = new FormUrlEncodedContent([]);
            }

            var cookie = _oauth.Cookie;
            AddHeaders(request, others);
            using (var answer = await _oauth.SendAsync(request))
            {
                await CheckAsync(answer, row.Answer);
            }

            _oauth.Cookie = cookie;
            if (row.Then is not null)
            {
                using var again = afterwards is null ? await _oauth.PostFormAsync(path, good) : await afterwards();
                await CheckAsync(again, row.Then);
            }
        }

        public async Task RegisterAsync()
        {
            var metadata = new JsonObject
            {
                ["client_name"] = "ChatGPT",
                ["redirect_uris"] = new JsonArray(OAuthServer.ChatGpt),
                ["grant_types"] = new JsonArray("authorization_code", "refresh_token"),
                ["token_endpoint_auth_method"] = "none",
            };
            var others = row.Apply(metadata, Variable);
            var body = others.FirstOrDefault(part => part.StartsWith("raw:", StringComparison.Ordinal))?[4..]
                ?? metadata.ToJsonString().Replace("HALF", "\\ud800", StringComparison.Ordinal);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/register")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            AddHeaders(request, others);
            using var answer = await _oauth.SendAsync(request);
            await CheckAsync(answer, row.Answer);
        }

        public async Task DocumentAsync()
        {
            var document = servers.Documents.NewAddress();
            var good = servers.Documents.NewAddress();
            (_variables["document"], _variables["good-document"]) = (document, good);
            servers.Documents.Put(servers.Documents.Document(good));
            var json = servers.Documents.Document(document);
            var others = row.Apply(json, Variable);
            string? Option(string name) =>
                others
                    .FirstOrDefault(part => part.StartsWith($"@{name}:", StringComparison.Ordinal))
                    ?[(name.Length + 2)..].Trim();
            var text = others.FirstOrDefault(part => part.StartsWith("raw:", StringComparison.Ordinal))?[4..]
                ?? json.ToJsonString();
            var body = Option("latin1") is null
                ? Encoding.UTF8.GetBytes(text)
                : Encoding.Latin1.GetBytes(text.Replace("documented", "dokum\u00e9nt", StringComparison.Ordinal));
            servers.Documents.Put(document, body, response =>
            {
                response.StatusCode =
                    Option("status") is { } status ? int.Parse(status, CultureInfo.InvariantCulture)
                    : Option("redirect") is null ? 200
                    : 302;
                response.Headers.Location = Option("redirect");
                response.ContentType = Option("type") ?? "application/json";
                if (Option("type") is "")
                {
                    response.Headers.ContentType = default;
                }
            });
            using var answer = await _oauth.GetAsync(_oauth.AuthorizeAddress(document));
            await CheckAsync(answer, row.Answer);
        }

        public async Task AssertionAsync()
        {
            var client = servers.Documents.Url + "/signs.json";
            servers.Documents.Put(servers.Documents.Document(client, "private_key_jwt"));
            var (header, claims) = (
                new JsonObject
                {
                    ["alg"] = "ES256",
                    ["typ"] = "JWT",
                    ["kid"] = "k1",
                },
                Jwt.Assertion(client, _oauth.Issuer + "/auth/token", ReferenceTokens.New())
            );
            var others = row.Apply(claims, Variable, ("header.", header));
            using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var assertion = Jwt.Sign(header, claims, others.Contains("@key: other") ? stranger : servers.Documents.Key);
            var type = others
                .FirstOrDefault(part => part.StartsWith("@assertion-type:", StringComparison.Ordinal))
                ?[16..].Trim()
                ?? "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            foreach (var expected in others.Contains("@twice: yes") ? ["200", row.Answer] : new[] { row.Answer })
            {
                var code = (await _oauth.AuthorizeAsync(client))["code"];
                List<(string, string)> form =
                [
                    ("grant_type", "authorization_code"),
                    ("client_id", client),
                    ("code", code),
                    ("code_verifier", OAuthServer.Verifier),
                ];
                if (!others.Contains("@assertion: none"))
                {
                    form.AddRange([("client_assertion", assertion), ("client_assertion_type", type)]);
                }

                using var answer = await _oauth.PostFormAsync("/auth/token", form);
                await CheckAsync(answer, expected);
            }
        }

        public async Task BearerAsync()
        {
            var parts = servers.Tokens.GetProperty("access_token").GetString()!.Split('.');
            var (header, claims) = (Jwt.Decode(parts[0]), Jwt.Decode(parts[1]));
            var others = row.Apply(claims, Variable, ("header.", header));
            string? Option(string name) =>
                others
                    .FirstOrDefault(part => part.StartsWith($"@{name}:", StringComparison.Ordinal))
                    ?[(name.Length + 2)..].Trim();
            using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var signed = $"{Jwt.Encode(header)}.{Jwt.Encode(claims)}";
            var isSame =
                row.Change.Length == 0
                || (Option("signature") is not null && !row.Change.Contains("header.", StringComparison.Ordinal));
            signed = isSame ? $"{parts[0]}.{parts[1]}" : signed;
            var signature = Option("signature") switch
            {
                "empty" => "",
                "zeros" => Base64Url.EncodeToString(new byte[64]),
                "cut" => parts[2][..^2],
                "padded" => parts[2] + "==",
                "spelled" => parts[2][..^1]
                    + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".IndexOf(parts[2][^1]) ^ 1
                    ],
                "twice" => parts[2] + parts[2],
                "hmac" => Base64Url.EncodeToString(
                    HMACSHA256.HashData(
                        Encoding.UTF8.GetBytes(
                            (await _oauth.GetAsync("/auth/jwks")).Content.ReadAsStringAsync(Stop).Result
                        ),
                        Encoding.ASCII.GetBytes(signed)
                    )
                ),
                _ => Option("key") is null ? parts[2] : Jwt.Sign(header, claims, stranger).Split('.')[2],
            };
            var token = Option("token") switch
            {
                "two" => $"{parts[0]}.{parts[1]}",
                "four" => $"{parts[0]}.{parts[1]}.{parts[2]}.{parts[2]}",
                "megabyte" => new string('a', 1 << 20),
                "refresh" => servers.Tokens.GetProperty("refresh_token").GetString()!,
                "key" => OAuthServer.Key,
                _ => $"{signed}.{signature}",
            };
            var path = "/tools/list_picked" + (Option("token") == "query" ? "?access_token=" + token : "");
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new StringContent("{}", Encoding.UTF8, "application/json"),
            };
            if (Option("token") is not ("none" or "query"))
            {
                request.Headers.TryAddWithoutValidation("Authorization", $"{Option("scheme") ?? "Bearer"} {token}");
            }

            using var answer = await _oauth.SendAsync(request);
            var expected = row.Answer.Split(' ');
            Assert.Contains($"{(int)answer.StatusCode}", expected[0].Split("-or-"));
            if (expected.Length > 1)
            {
                Assert.Contains($"error=\"{expected[1]}\"", answer.Headers.WwwAuthenticate.ToString());
            }
        }

        private async Task CheckAsync(HttpResponseMessage answer, string expected)
        {
            var body = await answer.Content.ReadAsStringAsync(Stop);
            var (status, type) = ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType);
            var told = $"{status} {answer.Headers.Location} {body}";
            var words = expected.Split(' ');
            Assert.True(
                words[0] switch
                {
                    "question" => status == 200 && body.Contains("name=\"ticket\"", StringComparison.Ordinal),
                    "page" => $"{status}" == words[1] && type == "text/html" && answer.Headers.Location is null,
                    "error" => IsRedirect(answer, "error", words[1]),
                    "code" => IsRedirect(answer, "code", null),
                    _ => $"{status}" == words[0],
                },
                $"expected {expected}, got {told}"
            );
            if (int.TryParse(words[0], CultureInfo.InvariantCulture, out _) && type == "application/json")
            {
                var json = JsonElement.Parse(body);
                Assert.Equal(
                    words.ElementAtOrDefault(1) is { } error and not ("active" or "inactive") ? error : null,
                    json.TryGetProperty("error", out var said) ? said.GetString() : null
                );
                Assert.Equal(
                    words.Contains("basic"),
                    answer.Headers.WwwAuthenticate.ToString().StartsWith("Basic", StringComparison.Ordinal)
                );
                Assert.True(
                    row.Table != "introspect"
                        || status != 200
                        || json.GetProperty("active").GetBoolean() == words.Contains("active"),
                    told
                );
                Assert.True(status != 201 || json.GetProperty("client_id").GetString() is { Length: 43 }, told);
                Assert.True(answer.Headers.CacheControl?.NoStore == true, "kept by caches");
            }
        }

        // The address is the registered one, whatever was asked, and says who answers and what was asked for.
        private bool IsRedirect(HttpResponseMessage answer, string name, string? value)
        {
            var location = answer.Headers.Location?.OriginalString ?? "";
            var query = location.Contains('?') ? QueryHelpers.ParseQuery(location[location.IndexOf('?')..]) : [];
            return answer.StatusCode == HttpStatusCode.SeeOther
                && location.StartsWith("https://cha", StringComparison.Ordinal)
                && query.ContainsKey(name)
                && (value is null || query[name] == value)
                && query.ContainsKey("code") != query.ContainsKey("error")
                && query["iss"] == _oauth.Issuer
                && (_sentState.Length > 2048 || query["state"] == _sentState);
        }

        private void AddHeaders(HttpRequestMessage request, List<string> parts)
        {
            foreach (var part in parts)
            {
                if (part.StartsWith("@basic ", StringComparison.Ordinal))
                {
                    request.Headers.Add(
                        "Authorization",
                        OAuthServer.Basic(part[7..].Split(':')[0], part[7..].Split(':')[1]).Item2
                    );
                }
                else if (part.StartsWith("@Cookie:", StringComparison.Ordinal))
                {
                    _oauth.Cookie = part[8..].Trim();
                }
                else if (part.StartsWith("@Content-Type:", StringComparison.Ordinal))
                {
                    request.Content!.Headers.Remove("Content-Type");
                    request.Content.Headers.TryAddWithoutValidation("Content-Type", part[14..].Trim());
                }
                else if (part[0] == '@')
                {
                    request.Headers.TryAddWithoutValidation(
                        part[1..part.IndexOf(':')],
                        part[(part.IndexOf(':') + 1)..].Trim()
                    );
                }
            }
        }

        private string Variable(string name) =>
            _variables.TryGetValue(name, out var value)
                ? value
                : name switch
                {
                    "issuer" => _oauth.Issuer,
                    "resource" => _oauth.Resource,
                    "challenge" => OAuthServer.ChallengeOf(OAuthServer.Verifier),
                    "verifier" => OAuthServer.Verifier,
                    "chatgpt" => OAuthServer.ChatGpt,
                    "secret" => OAuthServer.Secret,
                    "key" => OAuthServer.Key,
                    "reader" => OAuthServer.ReaderKey,
                    "long" => new string('a', 3000),
                    "huge" => new string('a', 100_000),
                    "random" => ReferenceTokens.New(),
                    "registered" => servers.Registered,
                    "native" => servers.Native,
                    "access" => servers.Tokens.GetProperty("access_token").GetString()!,
                    "refresh" => servers.Tokens.GetProperty("refresh_token").GetString()!,
                    "code-upper" => _variables["code"].ToUpperInvariant(),
                    "past" => $"{DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds()}",
                    "hour" => $"{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds()}",
                    _ => throw new InvalidOperationException(name),
                };
    }
}
