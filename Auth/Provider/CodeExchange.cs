using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// Exchanges an authorization code for the ID token (OpenID Connect Core section 3.1.3) and an access token, which
/// reads UserInfo once. A refresh token is discarded.
/// </summary>
internal sealed class CodeExchange(IOptions<ProviderOptions> options, IHttpClientFactory http)
{
    public const string Client = "ProviderClient";

    private readonly ProviderOptions _options = options.Value;

    public async Task<(string IdToken, string? AccessToken)> RedeemAsync(
        ProviderMetadata metadata,
        string code,
        string redirectUri,
        string verifier,
        string provider,
        CancellationToken cancellationToken
    )
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = redirectUri,
            ["code_verifier"] = verifier,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, metadata.TokenEndpoint);
        Authenticate(request, form, _options, metadata.TakesSecretInBody);
        using var client = http.CreateClient(Client);
        using var answer = await client.SendAsync(request, cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        var (error, description, idToken, accessToken) = Read(body);
        if (answer.StatusCode is HttpStatusCode.OK && idToken is not null)
        {
            return (idToken, accessToken);
        }

        var named = error ?? (answer.StatusCode is HttpStatusCode.OK ? "no_id_token" : null);
        throw ProviderError.Of(provider, named, description, $"status {(int)answer.StatusCode}");
    }

    /// <summary>Adds the form and this server's client credentials to a request to the provider.</summary>
    public static void Authenticate(
        HttpRequestMessage request,
        Dictionary<string, string> form,
        ProviderOptions options,
        bool inBody
    )
    {
        var secret = options.ClientSecret is { Length: > 0 } set ? set : null;
        ClientCredentials.Add(request, form, options.ClientId!, secret, inBody);
        request.Headers.Accept.ParseAdd("application/json");
    }

    private static (string? Error, string? Description, string? IdToken, string? AccessToken) Read(byte[] body)
    {
        try
        {
            var answer = StrictJson.ParseObject(body);
            return (
                Text(answer, "error"),
                Text(answer, "error_description"),
                Text(answer, "id_token"),
                Text(answer, "access_token")
            );
        }
        catch (FormatException)
        {
            return default;
        }
    }

    private static string? Text(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;
}
