using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Stands in for authentication: the header X-Test-Caller holds "subject client".</summary>
internal sealed class CallerFromHeader : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(
                (http, following) =>
                {
                    if (
                        http
                            .Request.Headers["X-Test-Caller"]
                            .ToString()
                            .Split(' ', StringSplitOptions.RemoveEmptyEntries) is
                        { Length: > 0 } caller
                    )
                    {
                        var client = caller.Skip(1).Select(id => new Claim("client_id", id));
                        http.User = new(new ClaimsIdentity([new("sub", caller[0]), .. client], "test"));
                    }

                    return following();
                }
            );
            next(app);
        };
}
