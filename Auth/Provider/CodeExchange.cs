using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>Turns the code of a sign-in into the ID token (OpenID Connect Core section 3.1.3). The access and refresh tokens that come with it are let go.</summary>
internal sealed class CodeExchange(IOptions<ProviderOptions> options, IHttpClientFactory http, ILogger<CodeExchange> logger)
{
    public const string Client = "ProviderClient";

    private readonly ProviderOptions _options = options.Value;

    public async Task<string> RedeemAsync(ProviderMetadata metadata, string code, string redirectUri, string verifier, string provider, CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = redirectUri,
            ["code_verifier"] = verifier,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, metadata.TokenEndpoint);
        Authenticate(request, form, metadata.TakesSecretInBody);
        request.Content = new FormUrlEncodedContent(form);
        request.Headers.Accept.ParseAdd("application/json");
        using var client = http.CreateClient(Client);
        using var answer = await client.SendAsync(request, cancellationToken);
        var (error, description, idToken) = Read(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
        if (answer.StatusCode is HttpStatusCode.OK && idToken is not null)
        {
            return idToken;
        }

        var refused = ProviderError.Of(provider, error ?? (answer.StatusCode is HttpStatusCode.OK ? "no_id_token" : null), description);
        ProviderLog.SignInFailed(logger, $"{refused.Message} (status {(int)answer.StatusCode})");
        throw refused;
    }

    // In the header as RFC 6749 section 2.3.1 says: id and secret are encoded as in a form before they are joined.
    private void Authenticate(HttpRequestMessage request, Dictionary<string, string> form, bool inBody)
    {
        if (string.IsNullOrEmpty(_options.ClientSecret) || inBody)
        {
            form["client_id"] = _options.ClientId!;
            if (_options.ClientSecret is { Length: > 0 } secret)
            {
                form["client_secret"] = secret;
            }

            return;
        }

        var pair = $"{WebUtility.UrlEncode(_options.ClientId)}:{WebUtility.UrlEncode(_options.ClientSecret)}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
    }

    private static (string? Error, string? Description, string? IdToken) Read(byte[] body)
    {
        try
        {
            var answer = StrictJson.ParseObject(body);
            return (Text(answer, "error"), Text(answer, "error_description"), Text(answer, "id_token"));
        }
        catch (FormatException)
        {
            return default;
        }
    }

    private static string? Text(JsonElement answer, string name) => answer.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
