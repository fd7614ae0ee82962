using System.Net;

namespace MinimalMcp.ChatGpt;

/// <summary>A GPT Action: a client that the operator typed into both sides, with a secret and without PKCE.</summary>
internal static class ActionChecks
{
    public static async Task RunAsync(Checklist checks, Target target, Options options)
    {
        checks.Group("A GPT Action");
        if (options is not { ClientId: { } id, ClientSecret: { } secret })
        {
            checks.LeaveOut("the confidential client", "--client-id and --client-secret name it");
            return;
        }

        using var person = new Person(options);
        var action = new Client(target, id, options.ActionRedirect) { Secret = secret, WithPkce = false };
        Tokens? tokens = null;
        await checks.CheckAsync("it connects with its secret in the body and without PKCE", async () =>
            tokens = await action.ConnectAsync(person)
        );
        await checks.CheckAsync("its token opens the operations", async () =>
            (await target.GetAsync("/tools", tokens!.Access)).Requires(HttpStatusCode.OK)
        );
        await checks.CheckAsync("its token is refreshed", async () =>
            tokens = Tokens.From(await action.RefreshAsync(tokens!.Refresh!))
        );
        await checks.CheckAsync("it may send the secret in the header", async () => tokens = Tokens.From(
                await new Client(target, id, options.ActionRedirect)
                {
                    Secret = secret,
                    Basic = true,
                    WithPkce = false,
                }.RefreshAsync(tokens!.Refresh!)
            ));
        await checks.CheckAsync("it may use PKCE", async () =>
            await new Client(target, id, options.ActionRedirect) { Secret = secret }.ConnectAsync(person)
        );
        await checks.CheckAsync("a wrong secret is 401 invalid_client", async () =>
        {
            var refused = (
                await new Client(target, id, options.ActionRedirect)
                {
                    Secret = secret + "x",
                    WithPkce = false,
                }.RefreshAsync(tokens!.Refresh!)
            ).Requires(HttpStatusCode.Unauthorized);
            Must.Equal("invalid_client", refused.Json.Text("error"), "error");
        });
        await checks.CheckAsync("no secret is 401 invalid_client", async () =>
        {
            var refused = (
                await new Client(target, id, options.ActionRedirect) { WithPkce = false }.RefreshAsync(tokens!.Refresh!)
            ).Requires(HttpStatusCode.Unauthorized);
            Must.Equal("invalid_client", refused.Json.Text("error"), "error");
        });
        await checks.CheckAsync("its redirect is exact", async () => Must.Be((
                    await person.OpenAsync(
                        new Client(target, id, options.ActionRedirect + "/x") { WithPkce = false }
                            .Authorize()
                            .Url
                    )
                ).Headers.Location is null, "the browser was sent there"));
        await checks.CheckAsync("the OpenAPI document names the same sign-in", async () =>
        {
            var document = (await target.GetAsync("/openapi.json")).Requires(HttpStatusCode.OK).Json;
            var flows = document
                .GetProperty("components")
                .GetProperty("securitySchemes")
                .EnumerateObject()
                .Select(scheme => scheme.Value)
                .First(scheme => scheme.Text("type") == "oauth2")
                .GetProperty("flows");
            Must.Equal(
                target.Metadata.Text("token_endpoint"),
                flows.GetProperty("authorizationCode").Text("tokenUrl"),
                "tokenUrl"
            );
        });
    }
}
