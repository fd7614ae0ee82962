using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using MinimalMcp.Auth;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Surfaces;

/// <summary>The security schemes of the OpenAPI document, for the current mode.</summary>
internal sealed class OpenApiSecurity(IOptions<AuthOptions> options, IServiceProvider services)
{
    private const string Key = "ApiKey";
    private const string OAuth = "OAuth";

    private readonly AuthOptions _options = options.Value;

    /// <summary>The schemes, and the default requirement.</summary>
    public async Task AddToAsync(OpenApiDocument document, CancellationToken cancellationToken)
    {
        if (_options.TakesTokens)
        {
            document.AddComponent(
                OAuth,
                new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.OAuth2,
                    Description = "Sign in with your account.",
                    Flows = await FlowsAsync(cancellationToken),
                }
            );
        }

        if (_options.OffersKeys)
        {
            document.AddComponent(
                Key,
                new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "The key that the server's operator gave you.",
                }
            );
        }

        // explicit when no sign-in is needed
        document.Security = _options.IsOff ? [new OpenApiSecurityRequirement()] : [.. Requirements(document, null)];
    }

    /// <summary>The requirement of a tool; null when it is the default.</summary>
    public IList<OpenApiSecurityRequirement>? Of(Tool tool, OpenApiDocument document) =>
        _options.TakesTokens ? [.. Requirements(document, tool)] : null;

    private IEnumerable<OpenApiSecurityRequirement> Requirements(OpenApiDocument document, Tool? tool)
    {
        if (_options.AdmitsGuests && tool?.Scope is Scopes.Read)
        {
            yield return [];
        }

        if (_options.TakesTokens)
        {
            yield return new()
            {
                [new OpenApiSecuritySchemeReference(OAuth, document)] = tool is null ? [] : [tool.Scope],
            };
        }

        if (_options.OffersKeys)
        {
            yield return new() { [new OpenApiSecuritySchemeReference(Key, document)] = [] };
        }
    }

    // A user signs in or, at an identity provider, a program on its own behalf.
    private async ValueTask<OpenApiOAuthFlows> FlowsAsync(CancellationToken cancellationToken)
    {
        var metadata = services.GetRequiredService<IAuthorizationServerMetadata>();
        var server = await metadata.DocumentAsync(cancellationToken);
        var scopes = Scopes
            .Split(services.GetRequiredService<ProtectedResource>().Scopes)
            .ToDictionary(scope => scope, scope => Scopes.Meanings[scope]);
        var flows = new OpenApiOAuthFlows();
        if (Url("authorization_endpoint") is { } authorization)
        {
            flows.AuthorizationCode = new()
            {
                AuthorizationUrl = authorization,
                TokenUrl = Url("token_endpoint"),
                RefreshUrl = Url("token_endpoint"),
                Scopes = scopes,
            };
        }

        if (
            metadata is Auth.Provider.ProviderDocuments
            && Url("token_endpoint") is { } token
            && server["grant_types_supported"] is JsonArray grants
            && grants.Any(grant => grant?.ToString() == "client_credentials")
        )
        {
            flows.ClientCredentials = new() { TokenUrl = token, Scopes = scopes };
        }

        return flows;

        Uri? Url(string name) => Uri.TryCreate(server[name]?.ToString(), UriKind.Absolute, out var url) ? url : null;
    }
}
