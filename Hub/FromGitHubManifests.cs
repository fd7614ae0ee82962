using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>A server that runs without a checkout, and what the operator must add before it starts.</summary>
internal sealed record ProposedServer(ServerDefinition Server, IReadOnlyList<string> Notes);

/// <summary>
/// Reads what a repository says of its server: <c>server.json</c> of the MCP registry, <c>mcp.json</c>, the
/// <c>package.json</c> of an npm package, the <c>pyproject.toml</c> of a Python package. All of it is a stranger's
/// text: what comes of it is checked as what is sent to the routes.
/// </summary>
internal static partial class FromGitHubManifests
{
    /// <summary>The files, the most explicit one first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["server.json", "mcp.json", "package.json", "pyproject.toml"];

    /// <summary>
    /// Null when the file proposes no server. Throws with the reason when it has one that cannot be used.
    /// </summary>
    public static ProposedServer? Read(string file, byte[] content, HubOptions options) =>
        file switch
        {
            "server.json" => OfRegistry(content, options),
            "mcp.json" => OfClients(content),
            "package.json" => OfNpm(content),
            _ => OfPython(Encoding.UTF8.GetString(content)),
        };

    /// <summary>Whether a <c>package.json</c> is that of a workspace with several packages.</summary>
    public static bool IsWorkspace(byte[] content) =>
        TryParse(content) is { } package && package.TryGetProperty("workspaces", out _);

    private static ProposedServer? OfRegistry(byte[] content, HubOptions options)
    {
        if (TryParse(content) is not { } json)
        {
            return null;
        }

        List<string> reasons = [];
        var name = (Text(json, "name") ?? "").Split('/')[^1];
        var description = Text(json, "description");
        foreach (var package in List(json, "packages"))
        {
            try
            {
                if (OfPackage(package, options) is { } proposed)
                {
                    return Named(proposed, name, description);
                }

                reasons.Add($"{Text(package, "registryType", "registry_type", "registry_name")} is not supported");
            }
            catch (StartupException wrong)
            {
                reasons.Add(wrong.Message);
            }
        }

        foreach (var remote in List(json, "remotes"))
        {
            if (Text(remote, "url") is not { } url || url.Contains('{', StringComparison.Ordinal))
            {
                reasons.Add("a remote has no fixed url");
                continue;
            }

            var isSse = Text(remote, "type", "transport_type") == "sse";
            var notes = List(remote, "headers")
                .Where(header => Is(header, "isRequired", "is_required"))
                .Select(header =>
                    $"The server needs the header {Shown(Text(header, "name"))}: set auth_type and auth_config."
                );
            return Named(
                new(
                    new()
                    {
                        Name = "",
                        Transport = isSse ? TransportType.Sse : TransportType.Http,
                        Url = url,
                    },
                    [.. notes]
                ),
                name,
                description
            );
        }

        return reasons.Count == 0
            ? null
            : throw new StartupException($"server.json has nothing that can run here: {string.Join("; ", reasons)}.");
    }

    // Null for a kind of package that we do not run.
    private static ProposedServer? OfPackage(JsonElement package, HubOptions options)
    {
        var identifier = Text(package, "identifier", "name") ?? "";
        var version = Text(package, "version");
        var transport = package.TryGetProperty("transport", out var kind) ? Text(kind, "type") : null;
        if (transport is not (null or "stdio"))
        {
            throw new StartupException($"{Shown(identifier)} is not spoken to over stdio");
        }

        List<string> notes = [];
        var (arguments, runtime) = (
            Arguments(List(package, "packageArguments", "package_arguments"), notes),
            Arguments(List(package, "runtimeArguments", "runtime_arguments"), notes)
        );
        var env = Variables(List(package, "environmentVariables", "environment_variables"), notes);
        (string, string[])? command = Text(package, "registryType", "registry_type", "registry_name") switch
        {
            "npm" => ("npx", ["-y", .. runtime.Except(["-y", "--yes"]), NpmPackage(identifier, version), .. arguments]),
            "pypi" => ("uvx", [.. runtime, PythonPackage(identifier, version), .. arguments]),
            "oci" or "docker" => (
                DockerRun.Program,
                [
                    "run",
                    "-i",
                    .. runtime.Where(option => option is not ("run" or "-i" or "--interactive" or "--rm" or "true")),
                    .. env.Keys.SelectMany(variable => (string[])["-e", variable]),
                    Image(identifier, version),
                    .. arguments,
                ]
            ),
            _ => null,
        };
        if (command is not var (program, args))
        {
            return null;
        }

        if (!options.Allows(program))
        {
            throw new StartupException($"it needs {program}, which Hub:Commands does not have");
        }

        return new(
            new()
            {
                Name = "",
                Command = program,
                Args = args,
                Env = env,
            },
            notes
        );
    }

    private static List<string> Arguments(IEnumerable<JsonElement> arguments, List<string> notes)
    {
        List<string> all = [];
        foreach (var argument in arguments)
        {
            var name = Text(argument, "type") == "named" ? Text(argument, "name") : null;
            var value = Filled(argument);
            if (value is null && Is(argument, "isRequired", "is_required"))
            {
                var what = name ?? Text(argument, "valueHint", "value_hint") ?? Text(argument, "description");
                notes.Add($"The argument {Shown(what)} is required: add it to args.");
                continue;
            }

            if (name is not null && (value is not null || Text(argument, "format") == "boolean"))
            {
                all.Add(name);
            }

            if (value is not null && !(name is not null && value == "true" && Text(argument, "format") == "boolean"))
            {
                all.Add(value);
            }
        }

        return all;
    }

    private static Dictionary<string, string> Variables(IEnumerable<JsonElement> variables, List<string> notes)
    {
        Dictionary<string, string> all = new(StringComparer.Ordinal);
        foreach (var variable in variables)
        {
            if (Text(variable, "name") is not { Length: > 0 } name)
            {
                continue;
            }

            if (Filled(variable) is { } value)
            {
                all[name] = value;
            }
            else if (Is(variable, "isRequired", "is_required"))
            {
                all[name] = "";
                notes.Add($"The variable {Shown(name)} is required: set it in env.");
            }
        }

        return all;
    }

    // A value with its variables, as far as they have values; null when one is missing.
    private static string? Filled(JsonElement input)
    {
        var value = Text(input, "value") ?? Text(input, "default");
        if (value is null || !input.TryGetProperty("variables", out var variables))
        {
            return value;
        }

        var isComplete = true;
        var filled = Variable()
            .Replace(value, match =>
            {
                var known =
                    variables.ValueKind is JsonValueKind.Object
                    && variables.TryGetProperty(match.Groups[1].Value, out var variable)
                        ? Text(variable, "value") ?? Text(variable, "default")
                        : null;
                isComplete &= known is not null;
                return known ?? "";
            });
        return isComplete ? filled : null;
    }

    private static ProposedServer? OfClients(byte[] content)
    {
        IReadOnlyList<(string Name, ConfiguredServer Server)> servers;
        try
        {
            // What an editor would ask a person for is left empty; variables of this server are never filled in.
            servers = McpJson.Parse(content, member => member is "env" or "headers" ? "" : null);
        }
        catch (StartupException)
        {
            return null; // of another kind, or for a checkout
        }

        foreach (var (name, server) in servers)
        {
            if (server.Url is { Length: > 0 })
            {
                var notes = server.Headers.Keys.Select(header =>
                    $"The server needs the header {Shown(header)}: set auth_type and auth_config."
                );
                return Named(
                    new(
                        new()
                        {
                            Name = "",
                            Transport = server.Type == "sse" ? TransportType.Sse : TransportType.Http,
                            Url = server.Url,
                        },
                        [.. notes]
                    ),
                    name,
                    server.Description
                );
            }

            if (server.Command is "npx" or "uvx" or DockerRun.Program && !server.Args.Any(IsLocal))
            {
                var notes = server
                    .Env.Where(variable => variable.Value.Length == 0)
                    .Select(variable => $"The variable {Shown(variable.Key)} is required: set it in env.");
                return Named(
                    new(
                        new()
                        {
                            Name = "",
                            Command = server.Command,
                            Args = server.Args,
                            Env = server.Env,
                        },
                        [.. notes]
                    ),
                    name,
                    server.Description
                );
            }
        }

        return null;
    }

    // The version at the head of a repository is often one that was never published: none is named, which is warned of.
    private static ProposedServer? OfNpm(byte[] content)
    {
        if (
            TryParse(content) is not { } package
            || Text(package, "name") is not { } name
            || !NpmName().IsMatch(name)
            || (package.TryGetProperty("private", out var own) && own.ValueKind is JsonValueKind.True)
            || !package.TryGetProperty("bin", out var bin)
            || bin.ValueKind is not (JsonValueKind.String or JsonValueKind.Object)
        )
        {
            return null;
        }

        var speaksMcp =
            Mentions(name)
            || package.TryGetProperty("mcpName", out _)
            || List(package, "keywords")
                .Any(word => word.ValueKind is JsonValueKind.String && Mentions(word.GetString()!))
            || (
                package.TryGetProperty("dependencies", out var needs)
                && needs.ValueKind is JsonValueKind.Object
                && needs.EnumerateObject().Any(need => Mentions(need.Name))
            );
        return speaksMcp
            ? Named(
                new(
                    new()
                    {
                        Name = "",
                        Command = "npx",
                        Args = ["-y", name],
                    },
                    []
                ),
                name.Split('/')[^1],
                Text(package, "description")
            )
            : null;
    }

    // Only the few lines that are needed of TOML: name and description of [project], its scripts and dependencies.
    private static ProposedServer? OfPython(string toml)
    {
        var (table, name, description, needsMcp) = ("", (string?)null, (string?)null, false);
        List<string> scripts = [];
        foreach (var line in toml.Split('\n').Take(2000).Select(line => line.Trim()))
        {
            if (line.StartsWith('['))
            {
                table = line.Split('#')[0].Trim().Trim('[', ']').Trim();
                continue;
            }

            var value = TomlText().Match(line);
            if (table == "project" && value is { Success: true } && value.Groups[1].Value is "name")
            {
                name = value.Groups[2].Value;
            }
            else if (table == "project" && value is { Success: true } && value.Groups[1].Value is "description")
            {
                description = value.Groups[2].Value;
            }
            else if (table == "project.scripts" && value.Success)
            {
                scripts.Add(value.Groups[1].Value);
            }

            needsMcp |= table == "project" && TomlDependency().IsMatch(line);
        }

        return name is null || !PythonName().IsMatch(name) || scripts.Count == 0 || !(needsMcp || Mentions(name))
            ? null
            : Named(
                new(
                    new()
                    {
                        Name = "",
                        Command = "uvx",
                        Args = scripts.Contains(name) ? [name] : ["--from", name, scripts[0]],
                    },
                    []
                ),
                name,
                description
            );
    }

    private static string NpmPackage(string name, string? version) =>
        NpmName().IsMatch(name) ? name + Version(version, "@") : throw NotAName(name);

    private static string PythonPackage(string name, string? version) =>
        PythonName().IsMatch(name) ? name + Version(version, "==") : throw NotAName(name);

    // The newer form has the tag in the identifier.
    private static string Image(string name, string? version) =>
        !ImageName().IsMatch(name) ? throw NotAName(name)
        : name.Contains('@', StringComparison.Ordinal) || name.Split('/')[^1].Contains(':') ? name
        : name + Version(version, ":");

    private static string Version(string? version, string separator) =>
        version is null or "" or "latest" ? ""
        : PackageVersion().IsMatch(version) ? separator + version
        : throw new StartupException("the version of the package is not one");

    private static StartupException NotAName(string name) => new($"{Shown(name)} is not the name of a package");

    // The name as a server may have it; the operator's own name replaces it later.
    private static ProposedServer Named(ProposedServer proposed, string name, string? description)
    {
        var plain = NotInName().Replace(ConfiguredServer.NameOf(name), "-").Trim('-', '_');
        return proposed with
        {
            Server = proposed.Server with
            {
                Name = plain[..Math.Min(40, plain.Length)],
                Description = Clean(description),
            },
        };
    }

    private static string? Clean(string? text)
    {
        var plain = new string([.. (text ?? "").Where(letter => !char.IsControl(letter)).Take(500)]).Trim();
        return plain.Length == 0 ? null : plain;
    }

    private static bool IsLocal(string argument) =>
        argument.StartsWith('.') || argument.StartsWith('/') || argument.Contains("${", StringComparison.Ordinal);

    private static bool Mentions(string text) =>
        text.Contains("mcp", StringComparison.OrdinalIgnoreCase)
        || text.Contains("modelcontextprotocol", StringComparison.OrdinalIgnoreCase);

    private static JsonElement? TryParse(byte[] content)
    {
        try
        {
            var json = JsonElement.Parse(content, new JsonDocumentOptions { MaxDepth = 32 });
            return json.ValueKind is JsonValueKind.Object ? json : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IEnumerable<JsonElement> List(JsonElement json, params string[] names) =>
        names
            .Select(name =>
                json.ValueKind is JsonValueKind.Object
                && json.TryGetProperty(name, out var list)
                && list.ValueKind is JsonValueKind.Array
                    ? list.EnumerateArray().Take(64)
                    : []
            )
            .FirstOrDefault(list => list.Any())
        ?? [];

    private static string? Text(JsonElement json, params string[] names) =>
        names
            .Select(name =>
                json.ValueKind is JsonValueKind.Object
                && json.TryGetProperty(name, out var text)
                && text.ValueKind is JsonValueKind.String
                    ? text.GetString()
                    : null
            )
            .FirstOrDefault(text => text is not null);

    private static bool Is(JsonElement json, params string[] names) =>
        names.Any(name => json.TryGetProperty(name, out var flag) && flag.ValueKind is JsonValueKind.True);

    private static string Shown(string? text) => Clean(text) is { } plain ? plain[..Math.Min(80, plain.Length)] : "?";

    [GeneratedRegex(@"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\A(@[a-z0-9][a-z0-9._-]{0,100}/)?[a-z0-9][a-z0-9._-]{0,200}\z")]
    private static partial Regex NpmName();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,200}\z")]
    private static partial Regex PythonName();

    [GeneratedRegex(@"\A[a-z0-9][a-zA-Z0-9._/:@-]{0,254}\z")]
    private static partial Regex ImageName();

    [GeneratedRegex(@"\A[0-9A-Za-z][0-9A-Za-z.+_-]{0,99}\z")]
    private static partial Regex PackageVersion();

    [GeneratedRegex("[^a-z0-9_-]+")]
    private static partial Regex NotInName();

    [GeneratedRegex("""\A"?([A-Za-z0-9._-]{1,100})"?\s*=\s*["']([^"']{0,500})["']""")]
    private static partial Regex TomlText();

    [GeneratedRegex("""["'](mcp|fastmcp)(\[|[<>=~! ]|["'])""")]
    private static partial Regex TomlDependency();
}
