using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace MinimalMcp.Auth.Tokens;

/// <summary>This server as a client of an authorization server (RFC 6749 section 2.3.1).</summary>
internal static class ClientCredentials
{
    /// <summary>Adds the form and the client's credentials to a request.</summary>
    /// <param name="request">To a token or introspection endpoint.</param>
    /// <param name="form">Gets the id when it is not in the header.</param>
    /// <param name="id">The client id.</param>
    /// <param name="secret">Null for a public client.</param>
    /// <param name="inBody">The server takes the secret in the form, and not as HTTP Basic.</param>
    public static void Add(
        HttpRequestMessage request,
        Dictionary<string, string> form,
        string id,
        string? secret,
        bool inBody
    )
    {
        if (secret is null || inBody)
        {
            form["client_id"] = id;
            if (secret is not null)
            {
                form["client_secret"] = secret;
            }
        }
        else
        {
            // Id and secret are form-encoded before they are joined.
            var pair = $"{WebUtility.UrlEncode(id)}:{WebUtility.UrlEncode(secret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes(pair))
            );
        }

        request.Content = new FormUrlEncodedContent(form);
    }
}
