using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>Reads the servers of the configuration: <c>Hub:Servers</c> and <c>Hub:File</c>.</summary>
internal sealed class ConfiguredServerReader(IHostEnvironment environment, IOptions<AuthOptions> auth)
    : IValidateOptions<HubOptions>
{
    /// <summary>Malformed servers fail the start, with the other settings that are wrong.</summary>
    public ValidateOptionsResult Validate(string? name, HubOptions options)
    {
        try
        {
            Read(options, ReadFile(options));
            return ValidateOptionsResult.Success;
        }
        catch (StartupException wrong)
        {
            return ValidateOptionsResult.Fail(wrong.Message);
        }
    }

    public IReadOnlyList<ServerDefinition> Read(HubOptions options, byte[]? file)
    {
        List<ServerDefinition> servers = [];
        foreach (var (name, server) in options.Servers)
        {
            Add($"Hub:Servers:{name}", name, server);
        }

        if (file is not null)
        {
            try
            {
                foreach (var (name, server) in McpJson.Parse(file))
                {
                    Add($"{options.File} (Hub:File), server '{name}'", name, server);
                }
            }
            catch (StartupException wrong) when (!wrong.Message.StartsWith(options.File!, StringComparison.Ordinal))
            {
                throw new StartupException($"{options.File} (Hub:File): {wrong.Message}", wrong);
            }
        }

        var started = servers.Count(server => server.Wanted);
        return started > options.MaxConcurrentServers
            ? throw new StartupException(
                $"The configuration starts {started} servers, and Hub:MaxConcurrentServers "
                    + $"(MAX_CONCURRENT_SERVERS) is {options.MaxConcurrentServers}. Raise it, or disable some."
            )
            : servers;

        void Add(string place, string name, ConfiguredServer server)
        {
            try
            {
                var definition = server.ToDefinition(name, options);
                if (definition.Command is { Length: > 0 } && auth.Value.IsOff && !options.CommandsWithoutAuth)
                {
                    throw new StartupException(
                        "commands are refused while Auth:Mode (MCP_AUTH_MODE) is none. Set MCP_AUTH_MODE to api-key "
                            + "and MCP_API_KEY, or set Hub:CommandsWithoutAuth to true."
                    );
                }

                servers.Add(
                    servers.Any(other => other.Name == definition.Name)
                        ? throw new StartupException($"another server of the configuration is named {definition.Name}.")
                        : definition
                );
            }
            catch (StartupException wrong)
            {
                throw new StartupException($"{place}: {wrong.Message}", wrong);
            }
        }
    }

    public byte[]? ReadFile(HubOptions options)
    {
        if (options.File is not { Length: > 0 } file)
        {
            return null;
        }

        try
        {
            return File.ReadAllBytes(Path.Combine(environment.ContentRootPath, file));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{file} (Hub:File) cannot be read: {failure.Message}", failure);
        }
    }
}
