using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace MinimalMcp.Auth.Server;

/// <summary>Authenticates the client of a request (RFC 6749 section 2.3).</summary>
internal sealed class ClientAuthentication(Clients clients, ClientAssertion assertions)
{
    public async Task<Client> AuthenticateAsync(HttpContext http, FormParameters form)
    {
        var (id, secret) = (form["client_id"], form["client_secret"]);
        var used = secret is null ? ClientMetadata.None : ClientMetadata.Post;
        var isBasic = http.Request.Headers.Authorization.Count > 0;
        if (isBasic)
        {
            if (secret is not null || form.Has("client_assertion"))
            {
                throw new OAuthException(
                    "invalid_request",
                    "Use one method of client authentication: the Authorization header or the body."
                );
            }

            var (named, password) = Basic(http.Request);
            if (id is not null && id != named)
            {
                throw new OAuthException(
                    "invalid_request",
                    "client_id differs from the client in the " + "Authorization header."
                );
            }

            (id, secret, used) = (named, password, ClientMetadata.Basic);
        }
        else if (form.Has("client_assertion") || form.Has("client_assertion_type"))
        {
            if (secret is not null)
            {
                throw new OAuthException(
                    "invalid_request",
                    "Use one method of client authentication: a secret or an assertion."
                );
            }

            (id, used) = (id ?? ClientAssertion.IssuerOf(form["client_assertion"]), ClientMetadata.PrivateKey);
        }

        var client = id is null ? null : await clients.FindAsync(id, http);
        var isGood =
            client is not null
            && used switch
            {
                ClientMetadata.None => client.Metadata.Methods.Contains(ClientMetadata.None),
                ClientMetadata.PrivateKey => client.Metadata.Methods.Contains(ClientMetadata.PrivateKey)
                    && await assertions.IsGoodAsync(client, form, http),
                // Which of the two methods was registered is no secret, and MCP clients confuse them.
                _ => IsSecretOf(client, ReferenceTokens.Hash(secret!)),
            };
        return isGood ? client! : throw Failed(isBasic);
    }

    private static bool IsSecretOf(Client client, string hash) =>
        (client.SecretHash is { } current && ReferenceTokens.Same(hash, current))
        || (client.NextSecretHash is { } next && ReferenceTokens.Same(hash, next));

    // RFC 6749 section 2.3.1: both parts are encoded as in a form.
    private static (string Id, string Secret) Basic(HttpRequest request)
    {
        try
        {
            if (
                request.Headers.Authorization is [{ } header]
                && AuthenticationHeaderValue.TryParse(header, out var value)
                && value is { Scheme: var scheme, Parameter: { } parameter }
                && scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
                && Encoding.UTF8.GetString(Convert.FromBase64String(parameter)).Split(':', 2) is [var id, var secret]
            )
            {
                return (WebUtility.UrlDecode(id), WebUtility.UrlDecode(secret));
            }
        }
        catch (FormatException)
        {
            // Refused below.
        }

        throw Failed(isBasic: true);
    }

    private static OAuthException Failed(bool isBasic) =>
        new(
            "invalid_client",
            "The client is unknown, or it did not authenticate with its registered method.",
            StatusCodes.Status401Unauthorized
        )
        {
            IsBasic = isBasic,
        };
}
