using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>Settings, where to listen, and what happens to every request.</summary>
public static class ConfigurationSetup
{
    /// <summary>
    /// Creates the builder with the settings of the program, of the user, and of <see cref="AddConfiguration"/>.
    /// Returns false when a settings file is malformed, which was reported.
    /// </summary>
    public static bool TryCreateBuilder(string[] args, [NotNullWhen(true)] out WebApplicationBuilder? builder)
    {
        try
        {
            builder = WebApplication.CreateSlimBuilder(ProgramFolder.HostArguments(args));
            if (
                string.IsNullOrEmpty(builder.Configuration["config"])
                && ProgramFolder.UserSettings is { } mine
                && File.Exists(mine)
            )
            {
                builder.Configuration.AddJsonAbove(mine);
            }

            builder.AddConfiguration();
            return true;
        }
        catch (Exception failure) when (SettingsFiles.Explain(failure) is { } why)
        {
            Console.Error.WriteLine($"The server did not start:{Environment.NewLine}  - {why}");
            builder = null;
            return false;
        }
    }

    /// <summary>Reads the settings, configures the listening address, and sets the limits of every request.</summary>
    public static WebApplicationBuilder AddConfiguration(this WebApplicationBuilder builder)
    {
        AddSettings(builder, isWholeProgram: true);
        builder.Services.AddSingleton<IValidateOptions<ServerOptions>>(LogLevelCheck.Of(builder.Configuration));
        var server = builder.Configuration.GetSection("Server");
        if (
            string.IsNullOrEmpty(builder.Configuration["urls"])
            && !builder.Configuration.GetSection("Kestrel:Endpoints").GetChildren().Any()
        )
        {
            Listen(builder);
        }

        builder.WebHost.UseKestrelHttpsConfiguration();
        Https.AddQuic(builder);
        builder.WebHost.ConfigureKestrel(
            (context, kestrel) =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = long.TryParse(
                    context.Configuration["Server:MaxRequestBytes"],
                    out var bytes
                )
                    ? bytes
                    : ServerOptions.DefaultMaxRequestBytes;
                kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
                kestrel.ConfigureEndpointDefaults(LingeringClose.Add);
            }
        );
        builder.Logging.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace; // standard output may carry the protocol
            // The slim builder sets "simple" over whatever the settings say.
            console.FormatterName = builder.Configuration["Logging:Console:FormatterName"] ?? console.FormatterName;
        });
        // a failed start is reported in a sentence, without a stack trace
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        Drain.Add(builder);
        // HostGuard decides, allows loopback, and explains refusals
        builder.Services.Configure<HostFilteringOptions>(filtering => filtering.AllowedHosts = ["*"]);
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.All;
            var known = new ServerOptions { KnownProxies = server["KnownProxies"] };
            // The number of known proxies, or the configured number.
            forwarded.ForwardLimit = known.ProxyCount;
            if (known is { ProxyCount: not null, Proxies.Count: 0 })
            {
                forwarded.KnownProxies.Clear();
                forwarded.KnownIPNetworks.Clear();
            }

            foreach (var proxy in known.Proxies)
            {
                if (ServerOptions.TryParseNetwork(proxy, out var network))
                {
                    forwarded.KnownIPNetworks.Add(network);
                }
            }
        });
        return builder;
    }

    /// <summary>
    /// Adds the middleware ahead of the surfaces. The Host is checked as it was sent, before forwarded headers replace
    /// it: a page that rebinds its name could send those too.
    /// </summary>
    public static WebApplication UseConfiguration(this WebApplication app)
    {
        LingeringClose.Use(app);
        app.UseExceptionHandler();
        app.UseMiddleware<HostGuard>();
        Https.UseStrictTransport(app);
        app.UseMiddleware<ForwardingCheck>();
        app.UseForwardedHeaders();
        PublicPath.Use(app);
        app.UseRouting(); // not before: the path may have been changed
        Https.UseRedirect(app);
        Drain.Use(app);
        if (Origins(app.Configuration) is { } origins)
        {
            app.UseCors(origins);
        }

        return app;
    }

    /// <summary>The settings of the environment and of files, and what every request needs.</summary>
    internal static void AddSettings(WebApplicationBuilder builder, bool isWholeProgram)
    {
        builder.Services.AddSingleton(
            builder.Configuration.AddEnvironment(
                builder.Environment.ContentRootPath,
                builder.Environment.EnvironmentName,
                isWholeProgram
            )
        );
        AddFile(builder.Configuration);
        builder.Services.AddSettings<ServerOptions>("Server");
        builder.Services.AddSingleton<IValidateOptions<ServerOptions>, ListenCheck>();
        builder.Services.AddSingleton<IValidateOptions<ServerOptions>, CertificateCheck>();
        builder.Services.AddSingleton<IValidateOptions<ServerOptions>, SecretFileCheck>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddCors();
        builder.Services.AddProblemDetails(problems => problems.CustomizeProblemDetails = ApiErrors.Complete);
    }

    /// <summary>Listens where the section Server says.</summary>
    internal static void Listen(WebApplicationBuilder builder)
    {
        var server = builder.Configuration.GetSection("Server");
        // A port that is no number is reported with the other settings that are wrong.
        var port = int.TryParse(server["Port"] ?? "3001", out var number) ? number : 0;
        builder.WebHost.UseUrls($"http://{server["Host"] ?? "127.0.0.1"}:{port}");
    }

    /// <summary>Web pages of other origins that may call (<c>Server:CorsOrigins</c>); null without any.</summary>
    internal static Action<CorsPolicyBuilder>? Origins(IConfiguration configuration)
    {
        var origins = new ServerOptions { CorsOrigins = configuration["Server:CorsOrigins"] }.Origins;
        return origins.Count == 0
            ? null
            : policy =>
                (origins.Contains("*") ? policy.AllowAnyOrigin() : policy.WithOrigins([.. origins]))
                    .WithMethods("GET", "POST", "DELETE")
                    .WithHeaders(
                        "Authorization",
                        "Content-Type",
                        "Accept",
                        "MCP-Protocol-Version",
                        "Mcp-Session-Id",
                        "Mcp-Method",
                        "Mcp-Name",
                        "Last-Event-ID",
                        "X-MCP-API-Key"
                    )
                    .WithExposedHeaders("Mcp-Session-Id", "WWW-Authenticate");
    }

    /// <summary>
    /// Binds a section to its options. Invalid values are reported with the other errors when the server starts.
    /// </summary>
    internal static void AddSettings<T>(this IServiceCollection services, string section)
        where T : class =>
        services
            .AddSingleton(new SettingsSection(section, typeof(T)))
            .AddOptions<T>()
            .Configure<IConfiguration>(
                (options, configuration) =>
                {
                    try
                    {
                        configuration.GetSection(section).Bind(options);
                    }
                    catch (InvalidOperationException unreadable)
                    {
                        throw new OptionsValidationException(section, typeof(T), [Unreadable(unreadable.Message)]);
                    }
                }
            )
            .ValidateDataAnnotations()
            .ValidateOnStart();

    // With higher priority than the program's settings, and lower than the environment and the command line.
    private static void AddFile(ConfigurationManager configuration)
    {
        if (configuration["config"] is { Length: > 0 } file && File.Exists(file))
        {
            configuration.AddJsonAbove(file);
        }
    }

    // "Failed to convert configuration value 'abc' at 'Server:Port' to type 'System.Int32'."
    private static string Unreadable(string message) =>
        message.Split('\'') is [_, var value, _, var setting, _, var type, ..]
            ? $"{setting}{EnvironmentNames.Of(setting)} is '{value}'; it must be {KindOf(type)}."
            : message;

    private static string KindOf(string type) =>
        type switch
        {
            "System.Int32" or "System.Int64" => "a whole number",
            "System.Double" => "a number",
            "System.Boolean" => "true or false",
            "System.TimeSpan" => "a time such as 00:01:30",
            _ => $"a value of {type}",
        };

    /// <summary>Runs the server. When settings are invalid, prints all problems and does not start.</summary>
    public static async Task<int> RunOrExplainAsync(this WebApplication app, Action<WebApplication>? started = null)
    {
        try
        {
            // The host would do this too, but log each error with a stack trace.
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            await app.StartAsync();
        }
        catch (Exception failure) when (Sentences(failure).ToArray() is { Length: > 0 } sentences)
        {
            Console.Error.WriteLine(
                failure is StartupException
                    ? "The server did not start:"
                    : "The server did not start. "
                        + $"{(sentences.Length == 1 ? "One setting is" : $"{sentences.Length} settings are")} wrong:"
            );
            foreach (var sentence in sentences)
            {
                Console.Error.WriteLine("  - " + sentence);
            }

            app.Lifetime.StopApplication(); // so that background services stop cleanly and log nothing
            await app.DisposeAsync();
            return 1;
        }

        started?.Invoke(app);
        await app.WaitForShutdownAsync();
        await app.DisposeAsync();
        return 0;
    }

    private static IEnumerable<string> Sentences(Exception failure) =>
        failure switch
        {
            AggregateException many => many.InnerExceptions.SelectMany(Sentences),
            StartupException plain => [plain.Message],
            OptionsValidationException wrong => wrong.Failures.Select(Sentence),
            InvalidOperationException { InnerException: not null } unreadable => [Unreadable(unreadable.Message)],
            InvalidOperationException unset when unset.Message.Contains("HTTPS", StringComparison.Ordinal) =>
            [
                "An https address has no certificate. Set Kestrel:Certificates:Default:Path and KeyPath (PEM), or Path "
                    + "and Password (PFX): docs/reference/settings.md.",
            ],
            System.Security.Cryptography.CryptographicException unread =>
            [
                "A certificate of Kestrel:Certificates or Kestrel:Endpoints cannot be read "
                    + $"({unread.Message.TrimEnd('.')}). Check Path, KeyPath and Password: a PEM file needs KeyPath, "
                    + "a PFX file its Password.",
            ],
            IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } taken =>
            [
                taken.Message + " Set MCP_SERVER_PORT to another port, or stop what listens there.",
            ],
            _ => [],
        };

    // DataAnnotations wraps the message in its own text.
    private static string Sentence(string failure) =>
        failure.IndexOf("with the error: '", StringComparison.Ordinal) is >= 0 and var start
            ? failure[(start + 17)..].TrimEnd('.').TrimEnd('\'')
            : failure;
}
