using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;
using MinimalMcp.Tools;

namespace MinimalMcp.WellKnown;

/// <summary>What the server prints when it has started.</summary>
public static class Banner
{
    /// <summary>
    /// Prints the startup banner: what is enabled, what is disabled and why, and where the server listens. To standard
    /// error, since stdio uses standard output.
    /// </summary>
    public static void Print(WebApplication app)
    {
        var configuration = app.Configuration;
        var address = app
            .Services.GetService<IServer>()
            ?.Features.Get<IServerAddressesFeature>()
            ?.Addresses.FirstOrDefault();
        // When the server listens on every address, show localhost.
        var url = PublicUrl.Configured(configuration)
            ?? address
                ?.Replace("://0.0.0.0:", "://localhost:", StringComparison.Ordinal)
                .Replace("://[::]:", "://localhost:", StringComparison.Ordinal);
        var tools = app.Services.GetRequiredService<ToolRegistry>().Current.All;
        var mode = configuration["mode"] ?? "all";
        var lines = new List<string>
        {
            $"{ServerIdentity.Name(configuration)} {ServerIdentity.VersionOf(configuration)}   "
                + $"{(mode == "stdio" ? "on standard input and output" : $"listening on {address}")}   auth "
                + $"{configuration["Auth:Mode"] ?? "none"}   mode {mode}",
        };
        lines.AddRange(
            tools
                .GroupBy(tool => tool.Family)
                .Select(family =>
                    $"  {family.Key, -12} {family.Count()} {(family.Count() == 1 ? "tool" : "tools")}: "
                    + string.Join(", ", family.Take(8).Select(tool => tool.Name))
                    + (family.Count() > 8 ? ", …" : "")
                )
        );
        if (
            app
                .Services.GetServices<UnconfiguredFamily>()
                .Select(off => off.Section)
                .Order(StringComparer.Ordinal)
                .Select(section => EnvironmentNames.Short($"{section}:Url"))
                .ToArray() is
            { Length: > 0 } off
        )
        {
            lines.Add($"  disabled     set these to enable more tool families: {string.Join(", ", off)}");
        }

        if (tools.Count == 0)
        {
            lines.Add(
                "  no tools     write a class with [McpServerToolType] below Tools/: README, \"Your first tool\""
            );
        }

        if (mode is "all" or "sse")
        {
            lines.Add($"  MCP          {url}/mcp      (HTTP+SSE of 2024-11-05: {url}/sse)");
        }

        if (mode is "all" or "rest")
        {
            lines.Add($"  GPT Action   {url}/openapi.json");
            lines.Add($"  functions    {url}/api/mcp/v1/tools");
        }

        if (app.Services.GetRequiredService<ProtectedResource>().IsOn && mode != "stdio")
        {
            lines.Add($"  sign-in      {app.Services.GetRequiredService<IAuthorizationServerMetadata>().Issuer}");
        }

        foreach (var (setting, value, why) in app.Services.GetRequiredService<EnvironmentRead>().Inferred)
        {
            lines.Add($"  inferred     {setting}={value}: {why}");
        }

        if (
            Auth.Server.AuthorizationServerSetup.IsOn(app.Configuration)
            && app.Services.GetService<Auth.Server.SignInCredentials>() is { AreThere: false }
            && app.Services.GetService<Auth.Server.IExternalSignIn>() is null
            && mode != "stdio"
        )
        {
            lines.Add($"  no key       nobody can sign in. {Auth.Server.SignInCredentials.HowToAdd}");
        }

        foreach (var line in app.Services.GetServices<BannerLine>().Where(line => line.Text is not null))
        {
            lines.Add($"  {line.Label, -12} {line.Text}");
        }

        foreach (var (name, why) in WithoutEffect(app))
        {
            lines.Add($"  no effect    {name}: {why}");
        }

        lines.Add($"  settings     {string.Join(", ", Files(app).DefaultIfEmpty("no file"))}");
        if (configuration["Logging:File:Path"] is { Length: > 0 } log)
        {
            lines.Add($"  log          {Path.GetFullPath(log)}");
        }

        lines.Add($"  store        {app.Services.GetRequiredService<Store>().Description}");
        if (mode != "stdio")
        {
            lines.Add($"  in a browser {url}/{(mode == "sse" ? "" : $"      (to try the tools: {url}/scalar)")}");
        }

        Console.Error.WriteLine(string.Join(Environment.NewLine, lines));
    }

    // Every settings file that was read, to show where a setting comes from.
    private static IEnumerable<string> Files(WebApplication app) =>
        ((IConfigurationRoot)app.Configuration)
            .Providers.OfType<FileConfigurationProvider>()
            .Select(file => file.Source.FileProvider?.GetFileInfo(file.Source.Path ?? ""))
            .Where(file => file is { Exists: true, PhysicalPath: not null })
            .Select(file => file!.PhysicalPath!)
            .Concat(app.Services.GetRequiredService<EnvironmentRead>().Files);

    // Environment variables that are set but have no effect in this mode.
    private static IEnumerable<(string Name, string Why)> WithoutEffect(WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<AuthOptions>>().Value;
        var services = app.Services.GetRequiredService<IServiceProviderIsService>();
        var read = app.Services.GetRequiredService<EnvironmentRead>();
        foreach (var (name, setting) in read.Names)
        {
            if (
                setting.StartsWith("Auth:Provider:", StringComparison.Ordinal)
                && !services.IsService(typeof(Auth.Provider.ProviderDocuments))
            )
            {
                yield return (name, $"auth mode {options.Mode} uses no identity provider");
            }
            else if (
                setting.StartsWith("Auth:Server:", StringComparison.Ordinal)
                && !setting.EndsWith("SecretKey", StringComparison.Ordinal) // of the hub, too
                && !services.IsService(typeof(Auth.Server.TokenEndpoint))
            )
            {
                yield return (name, $"auth mode {options.Mode} issues no tokens");
            }
            else if (setting is "Auth:ApiKey" or "Auth:NextApiKey" && !options.TakesKeys)
            {
                yield return (name, $"auth mode {options.Mode} accepts no API keys");
            }
        }
    }
}
