using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// How ChatGPT finds out where to sign in: from the 401, from the resource's document, and from the places where it
/// looks without asking.
/// </summary>
internal static partial class DiscoveryChecks
{
    public static readonly string[] MetadataPlaces =
    [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-authorization-server/sse",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/.well-known/openid-configuration/sse",
    ];

    public static async Task RunAsync(Checklist checks, Target target, bool mixed)
    {
        checks.Group("Discovery");
        var challenge = "";
        if (mixed)
        {
            await checks.CheckAsync("without a token the server says hello", async () =>
                (await target.InitializeAsync()).Requires(HttpStatusCode.OK)
            );
        }
        else
        {
            await checks.CheckAsync("without a token the first message is answered 401", async () =>
                challenge = (await target.InitializeAsync()).Requires(HttpStatusCode.Unauthorized).Challenge
            );
            await checks.CheckAsync("the 401 says Bearer and where the resource's metadata is", () =>
                Task.FromResult(ResourceMetadata(challenge))
            );
            await checks.CheckAsync("the 401 names a scope", () =>
                Is(challenge.Contains("scope=\"", StringComparison.Ordinal), challenge)
            );
            await checks.CheckAsync("the 401 to a request without a token names no error", () =>
                Is(!challenge.Contains("error=", StringComparison.Ordinal), challenge)
            );
            await checks.CheckAsync("a made-up token is 401 invalid_token, with the way to sign in", async () =>
            {
                var refused = (await target.InitializeAsync("made-up")).Requires(HttpStatusCode.Unauthorized).Challenge;
                Must.Be(
                    refused.Contains("error=\"invalid_token\"", StringComparison.Ordinal)
                        && refused.Contains("resource_metadata=", StringComparison.Ordinal),
                    refused
                );
            });
            await checks.CheckAsync("the address in the 401 leads to the resource's metadata", async () =>
                (await target.GetAsync(ResourceMetadata(challenge))).Requires(HttpStatusCode.OK).Json.Text("resource")
            );
        }

        var documents = new Dictionary<string, JsonElement>();
        foreach (var place in (string[])["", "/mcp", "/sse"])
        {
            await checks.CheckAsync(
                $"the resource's metadata is at /.well-known/oauth-protected-resource{place}",
                async () =>
                    documents[place] = (await target.GetAsync("/.well-known/oauth-protected-resource" + place))
                        .Requires(HttpStatusCode.OK)
                        .Json
            );
        }

        var own = documents.GetValueOrDefault("/mcp");
        await checks.CheckAsync("resource is the address that was pasted, to the letter", () =>
            Equal(target.Mcp.ToString().TrimEnd('/'), target.Resource = own.Text("resource"), "resource")
        );
        await checks.CheckAsync("bearer_methods_supported is the header alone", () =>
            Equal("header", string.Join(' ', own.Texts("bearer_methods_supported")), "bearer_methods_supported")
        );
        await checks.CheckAsync("the resource's scopes are there, without offline_access", () =>
            Is(
                own.Texts("scopes_supported") is { Length: > 0 } scopes && !scopes.Contains("offline_access"),
                own.GetRawText()
            )
        );
        await MetadataAsync(checks, target, own);
    }

    private static async Task MetadataAsync(Checklist checks, Target target, JsonElement own)
    {
        string? first = null;
        foreach (var place in MetadataPlaces)
        {
            await checks.CheckAsync($"the authorization server's metadata is at {place}", async () =>
            {
                var json = (await target.GetAsync(place)).Requires(HttpStatusCode.OK).Json;
                first ??= json.GetRawText();
                Must.Equal(first, json.GetRawText(), "the document");
                target.Metadata = json;
            });
        }

        var metadata = target.Metadata;
        await checks.CheckAsync("issuer is one of the resource's authorization_servers, to the letter", () =>
            Is(own.Texts("authorization_servers").Contains(metadata.Text("issuer")), metadata.Text("issuer"))
        );
        await checks.CheckAsync("PKCE with S256 is announced: without it ChatGPT does not go on", () =>
            Is(metadata.Texts("code_challenge_methods_supported") is ["S256"], "only S256 must be there")
        );
        await checks.CheckAsync(
            "iss in every answer is announced, so that one redirect address serves all connections",
            () =>
                Is(
                    metadata.GetProperty("authorization_response_iss_parameter_supported").GetBoolean(),
                    "it must be true"
                )
        );
        await checks.CheckAsync("client documents are announced", () =>
            Is(metadata.GetProperty("client_id_metadata_document_supported").GetBoolean(), "it must be true")
        );
        await checks.CheckAsync("clients may sign in with nothing or with a key", () =>
            Is(
                !new[] { "none", "private_key_jwt" }
                    .Except(metadata.Texts("token_endpoint_auth_methods_supported"))
                    .Any(),
                metadata.GetRawText()
            )
        );
        await checks.CheckAsync("code and refresh are announced", () =>
            Is(
                metadata.Texts("response_types_supported").Contains("code")
                    && !new[] { "authorization_code", "refresh_token" }
                        .Except(metadata.Texts("grant_types_supported"))
                        .Any(),
                metadata.GetRawText()
            )
        );
        foreach (
            var endpoint in (string[])
                ["authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "jwks_uri"]
        )
        {
            await checks.CheckAsync($"{endpoint} is on the API's own domain, as GPT Actions want it", () =>
                Is(
                    metadata.Text(endpoint).StartsWith(target.Origin + "/", StringComparison.Ordinal),
                    metadata.Text(endpoint)
                )
            );
        }

        await checks.CheckAsync("the published keys are public", async () =>
        {
            var keys = (await target.GetAsync(metadata.Text("jwks_uri")))
                .Requires(HttpStatusCode.OK)
                .Json.GetProperty("keys")
                .EnumerateArray()
                .ToArray();
            Must.Be(
                keys.Length > 0 && keys.All(key => key.Text("kid").Length > 0 && !key.TryGetProperty("d", out _)),
                "each must have a kid and no private part"
            );
        });
        await checks.CheckAsync("another Host header changes no document", async () =>
        {
            var answer = await target.GetAsync(MetadataPlaces[0], change: request =>
                request.Headers.Host = "evil.example"
            );
            Must.Be(
                !answer.Body.Contains("evil.example", StringComparison.Ordinal)
                    || answer.Status is HttpStatusCode.BadRequest,
                answer.Body
            );
        });
    }

    internal static string ResourceMetadata(string challenge) =>
        ResourceMetadataPattern().Match(challenge) is { Success: true } match
            ? match.Groups[1].Value
            : throw new CheckFailedException($"no resource_metadata in '{challenge}'");

    internal static Task Is(bool condition, string otherwise)
    {
        Must.Be(condition, otherwise);
        return Task.CompletedTask;
    }

    private static Task Equal(string wanted, string seen, string what)
    {
        Must.Equal(wanted, seen, what);
        return Task.CompletedTask;
    }

    [GeneratedRegex("^Bearer .*resource_metadata=\"([^\"]+)\"")]
    private static partial Regex ResourceMetadataPattern();
}
