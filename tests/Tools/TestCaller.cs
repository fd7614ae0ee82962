using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Tools;

/// <summary>
/// Makes the caller from a header, as an authentication handler would from a token: "ann" or "ann mcp:read".
/// </summary>
internal sealed class TestCaller : IStartupFilter
{
    public const string Header = "X-Test-Caller";

    public static void AddTo(IServiceCollection services) => services.AddSingleton<IStartupFilter, TestCaller>();

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(
                (http, following) =>
                {
                    if (
                        http.Request.Headers[Header].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries)
                        is [var name, .. var scopes]
                    )
                    {
                        var granted = scopes.Length > 0 ? scopes : ["mcp:execute"];
                        http.User = new(
                            new ClaimsIdentity(
                                [new("sub", name), .. granted.Select(scope => new Claim("scope", scope))],
                                "test"
                            )
                        );
                    }

                    return following(http);
                }
            );
            next(app);
        };
}
