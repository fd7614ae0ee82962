namespace MinimalMcp.Auth.Server;

/// <summary>
/// <c>/auth/authorize</c>: a client sends a person here, who is asked every time. An answer that was remembered could
/// be used by a client that only claims to be the same.
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
        // Until the client and its address are known nothing is sent anywhere: it would be an open redirect.
        if (query.FirstOrDefault(parameter => parameter.Value.Count > 1 && parameter.Key != "resource").Key is not null)
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status400BadRequest,
                "This request is not clear",
                "The application sent a parameter twice. Tell whoever made it."
            );
            return;
        }

        var client = await clients.FindAsync(query["client_id"].ToString(), http);
        if (client is null)
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status400BadRequest,
                "This application is not known here",
                "It has to register first, or the operator of this server has to enter it. If it worked before, "
                    + "remove it in the application and add it again."
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
                "The answer would go to an unknown address",
                $"The application wants the answer at {Diagnostics.RedactedRequest.Text(redirect, 200)}, and that "
                    + "address is not "
                    + "registered for it (redirect_uri). Nobody was asked and nothing was sent."
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

    /// <summary>The person's answer.</summary>
    public async Task PostAsync(HttpContext http)
    {
        if (!IsOurPage(http.Request))
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status403Forbidden,
                "Another page sent this",
                "Only this server's own page may answer for you. Nothing was allowed."
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
                "It was answered already, is older than ten minutes, or belongs to another browser. Start again from "
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
                    "There was no answer",
                    "Go back, and choose Allow or Cancel."
                );
                break;
        }
    }

    /// <summary>
    /// Always 303: with 307 the browser would send the form, and the password in it, to the client (RFC 9700 section
    /// 4.12).
    /// </summary>
    public static void SeeOther(HttpContext http, string address)
    {
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = address;
    }

    // What browsers say of a post from elsewhere. Another program may say nothing: it has no cookie of the person's
    // either.
    private bool IsOurPage(HttpRequest request) =>
        (
            request.Headers.Origin.Count == 0
            || string.Equals(request.Headers.Origin, issuer.Origin, StringComparison.OrdinalIgnoreCase)
        ) && (!request.Headers.TryGetValue("Sec-Fetch-Site", out var site) || site == "same-origin");
}
