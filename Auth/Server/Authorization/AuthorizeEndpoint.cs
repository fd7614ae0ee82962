namespace MinimalMcp.Auth.Server;

/// <summary>
/// <c>/auth/authorize</c>: shows the consent page. Consent is asked for every time: a remembered one could be used by a
/// client that only claims to be the same.
/// </summary>
internal sealed class AuthorizeEndpoint(
    Clients clients,
    AuthorizationTickets tickets,
    Consent consent,
    IAuthorizationPages pages,
    Issuer issuer
)
{
    public async Task GetAsync(HttpContext http)
    {
        var query = http.Request.Query;
        // Nothing is sent to the redirect URI before the client and the URI are validated: it would be an open
        // redirect.
        if (query.FirstOrDefault(parameter => parameter.Value.Count > 1 && parameter.Key != "resource").Key is not null)
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status400BadRequest,
                "Invalid request",
                "The application sent a parameter twice. Report this to its developer."
            );
            return;
        }

        var client = await clients.FindAsync(query["client_id"].ToString(), http);
        if (client is null)
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status400BadRequest,
                "Unknown application",
                "The application is not registered with this server. If it worked before, remove it in the "
                    + "application and add it again. Otherwise the operator of this server can register it."
            );
            return;
        }

        var redirect = query["redirect_uri"].ToString();
        if (redirect.Length == 0 && client is { From: not ClientOrigin.Document, Metadata.RedirectUris: [var only] })
        {
            redirect = only;
        }

        if (!client.MayRedirectTo(redirect))
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status400BadRequest,
                "Unknown redirect URI",
                $"The application asked for the redirect URI {Diagnostics.RedactedRequest.Text(redirect, 200)}, "
                    + "which is not registered for it (redirect_uri). Nothing was sent to it."
            );
            return;
        }

        try
        {
            var request = AuthorizationRequest.Parse(query, client, redirect, issuer);
            await pages.AskAsync(
                http,
                await consent.QuestionAsync(request, await tickets.OpenAsync(http, request), http.RequestAborted)
            );
        }
        catch (OAuthException refused) when (refused.Status == StatusCodes.Status400BadRequest)
        {
            http.Explain(refused.Message);
            SeeOther(
                http,
                AuthorizationRequest.Answer(
                    redirect,
                    AuthorizationRequest.StateOf(query),
                    issuer,
                    ("error", refused.Error),
                    ("error_description", refused.Message)
                )
            );
        }
    }

    /// <summary>The user's decision.</summary>
    public async Task PostAsync(HttpContext http)
    {
        if (!IsOurPage(http.Request))
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status403Forbidden,
                "Form not accepted",
                "The form was not sent from this server's own page. Nothing was allowed."
            );
            return;
        }

        var form = await FormParameters.ReadAsync(http);
        var ticket = form["ticket"] ?? "";
        if (await tickets.FindAsync(http, ticket) is not { } request)
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status403Forbidden,
                "This page has expired",
                "It was already used, is older than ten minutes, or belongs to another browser. Start again from "
                    + "the application."
            );
            return;
        }

        switch (form["decision"])
        {
            case "allow":
                await consent.AllowAsync(http, request, ticket, form);
                break;
            case "deny":
                await consent.DenyAsync(http, ticket);
                break;
            default:
                await pages.ExplainAsync(
                    http,
                    StatusCodes.Status400BadRequest,
                    "No decision",
                    "Go back, and choose Allow or Cancel."
                );
                break;
        }
    }

    /// <summary>
    /// Always 303: with 307 the browser would repeat the form, and the password in it, to the client (RFC 9700 section
    /// 4.12).
    /// </summary>
    public static void SeeOther(HttpContext http, string address)
    {
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = address;
    }

    // Browsers report the origin of a form. Other programs may report nothing, but have no cookie of the user either.
    private bool IsOurPage(HttpRequest request) =>
        (
            request.Headers.Origin.Count == 0
            || string.Equals(request.Headers.Origin, issuer.Origin, StringComparison.OrdinalIgnoreCase)
        ) && (!request.Headers.TryGetValue("Sec-Fetch-Site", out var site) || site == "same-origin");
}
