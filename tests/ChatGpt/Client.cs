using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.ChatGpt;

/// <summary>ChatGPT as an OAuth client: one of its identities, and the requests that it makes with it.</summary>
internal sealed class Client(Target target, string id, string redirect)
{
    /// <summary>
    /// Where ChatGPT is answered when the server sends <c>iss</c>, and otherwise one address a connection.
    /// </summary>
    public const string StableRedirect = "https://chatgpt.com/connector_platform_oauth_redirect",
        CallbackRedirect = "https://chatgpt.com/connector/oauth/cb-0123456789";

    public string Id => id;

    public string Redirect => redirect;

    public string? Secret { get; init; }

    /// <summary>Sends the secret in the Authorization header rather than in the body.</summary>
    public bool Basic { get; init; }

    /// <summary>Signs in with a key instead (RFC 7523).</summary>
    public ClientKey? Key { get; init; }

    /// <summary>A GPT Action's client does without.</summary>
    public bool WithPkce { get; init; } = true;

    /// <summary>The request that the person's browser is sent off with.</summary>
    public Authorization Authorize(string? scope = null, params (string Name, string? Value)[] changes)
    {
        var verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var state = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(24));
        var parameters = new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = id,
            ["redirect_uri"] = redirect,
            // ChatGPT asks for all that are advertised
            ["scope"] = scope ?? string.Join(' ', target.Metadata.Texts("scopes_supported")),
            ["state"] = state,
            ["resource"] = target.Resource,
            ["code_challenge"] = WithPkce
                ? Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))
                : null,
            ["code_challenge_method"] = WithPkce ? "S256" : null,
        };
        foreach (var (name, value) in changes)
        {
            parameters[name] = value;
        }

        var query = string.Join(
            '&',
            parameters
                .Where(parameter => parameter.Value is not null)
                .Select(parameter => $"{parameter.Key}={Uri.EscapeDataString(parameter.Value!)}")
        );
        return new(new Uri($"{target.Metadata.Text("authorization_endpoint")}?{query}"), state, verifier);
    }

    /// <summary>The whole way from the request to the tokens.</summary>
    public async Task<Tokens> ConnectAsync(Person person, string? scope = null)
    {
        var authorization = Authorize(scope);
        var code = authorization.Code(await person.SignInAsync(authorization.Url), target.Issuer);
        return Tokens.From(await RedeemAsync(code, authorization.Verifier));
    }

    public Task<HttpAnswer> RedeemAsync(string code, string verifier, params (string Name, string Value)[] changes) =>
        TokenAsync([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("resource", target.Resource),
            .. WithPkce ? [("code_verifier", verifier)] : Array.Empty<(string, string)>(),
            .. changes,
        ]);

    public Task<HttpAnswer> RefreshAsync(string token, params (string Name, string Value)[] changes) =>
        TokenAsync([
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("resource", target.Resource),
            .. changes,
        ]);

    public Task<HttpAnswer> RevokeAsync(string token) =>
        PostAsync(target.Metadata.Text("revocation_endpoint"), [("token", token)]);

    private Task<HttpAnswer> TokenAsync((string Name, string Value)[] parameters) =>
        PostAsync(target.Metadata.Text("token_endpoint"), parameters);

    private Task<HttpAnswer> PostAsync(string endpoint, (string Name, string Value)[] parameters)
    {
        var form = new Dictionary<string, string>();
        if (!Basic)
        {
            form["client_id"] = id;
        }

        if (Secret is not null && !Basic)
        {
            form["client_secret"] = Secret;
        }

        if (Key is not null)
        {
            form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form["client_assertion"] = Key.Assertion(id, target.Metadata.Text("token_endpoint"));
        }

        foreach (var (name, value) in parameters)
        {
            form[name] = value;
        }

        return target.PostFormAsync(endpoint, form, request =>
        {
            if (Basic)
            {
                request.Headers.Authorization = new(
                    "Basic",
                    Convert.ToBase64String(
                        Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(id)}:{Uri.EscapeDataString(Secret!)}")
                    )
                );
            }
        });
    }
}

/// <summary>An authorization request, and what only the client knows of it.</summary>
internal sealed record Authorization(Uri Url, string State, string Verifier)
{
    /// <summary>
    /// The code in the address that the browser came back to, after the checks of RFC 9207 and of the state.
    /// </summary>
    public string Code(Uri back, string issuer)
    {
        var answer = Answer(back);
        Must.Be(
            !answer.ContainsKey("error"),
            $"the answer is the error {answer.GetValueOrDefault("error")}: "
                + $"{answer.GetValueOrDefault("error_description")}"
        );
        Must.Equal(State, answer.GetValueOrDefault("state"), "state");
        Must.Equal(issuer, answer.GetValueOrDefault("iss"), "iss");
        return answer.GetValueOrDefault("code") ?? throw new CheckFailedException("there is no code");
    }

    public static Dictionary<string, string> Answer(Uri back) =>
        back
            .Query.TrimStart('?')
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .ToDictionary(
                pair => Uri.UnescapeDataString(pair[0]),
                pair => WebUtility.UrlDecode(pair.ElementAtOrDefault(1) ?? "")
            );
}

internal sealed record Tokens(string Access, string? Refresh, int ExpiresIn, string Scope)
{
    public static Tokens From(HttpAnswer answer)
    {
        var json = answer.Requires(HttpStatusCode.OK).Json;
        Must.Be(
            json.Text("token_type").Equals("Bearer", StringComparison.OrdinalIgnoreCase),
            "token_type must be Bearer"
        );
        return new(
            json.Text("access_token"),
            json.TryGetProperty("refresh_token", out var refresh) ? refresh.GetString() : null,
            json.TryGetProperty("expires_in", out var expires) && expires.ValueKind is JsonValueKind.Number
                ? expires.GetInt32()
                : throw new CheckFailedException("there is no number expires_in"),
            json.TryGetProperty("scope", out var scope) ? scope.GetString() ?? "" : ""
        );
    }
}
