using System.ComponentModel.DataAnnotations;
using System.Net;
using MinimalMcp.Engine;

namespace MinimalMcp.Tools.Docker;

internal sealed class DockerOptions : IValidatableObject
{
    /// <summary>
    /// Where Docker listens: unix:///var/run/docker.sock, tcp://host:2375, or https://host. Access to Docker is access
    /// to its host, so the family is disabled until this or <see cref="Enabled"/> is set, even when a socket exists.
    /// </summary>
    public string? Url { get; set; }

    /// <summary>Uses the Docker Engine of this host: the one in DOCKER_HOST, or the usual sockets.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The SHA-256 fingerprint of the certificate behind an https Url, where no known authority signed it; <c>any</c>
    /// accepts every certificate.
    /// </summary>
    [RegularExpression(
        "any|(?:[0-9A-Fa-f]{2}:?){32}",
        ErrorMessage = "Docker:Certificate must be a SHA-256 fingerprint (64 hexadecimal digits) or the word any."
    )]
    public string? Certificate { get; set; }

    /// <summary>Folders of the Docker host that containers may mount, separated by commas. None by default.</summary>
    public string? AllowedBinds { get; set; }

    /// <summary>Whether a container may share the network of the host or of another container.</summary>
    public bool AllowHostNetwork { get; set; }

    /// <summary>The host address that publishes the ports of new containers. 0.0.0.0 is every network.</summary>
    public string PublishAddress { get; set; } = "127.0.0.1";

    /// <summary>Whether docker_container_inspect shows the values of environment variables.</summary>
    public bool ShowEnvironment { get; set; }

    internal IReadOnlyList<string> Binds =>
        (AllowedBinds ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Null when the family is disabled or its settings are wrong.</summary>
    internal EngineAddress? Address =>
        string.IsNullOrEmpty(Url)
            ? Enabled
                ? OfThisMachine()
                : null
            : EngineAddress.Parse(Url);

    private static EngineAddress? OfThisMachine()
    {
        EngineAddress[] known = [.. EngineAddress.OfThisMachine()];
        return known.FirstOrDefault(address => address.Socket is null || File.Exists(address.Socket))
            ?? known.FirstOrDefault();
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Address is null && (Enabled || !string.IsNullOrEmpty(Url)))
        {
            yield return new(
                "Docker:Url must be unix:///path, tcp://host:port or https://host, without user name or query;"
                    + " for example unix:///var/run/docker.sock.",
                [nameof(Url)]
            );
        }

        foreach (
            var bind in Binds.Where(bind => !bind.StartsWith('/') || bind.Split('/').Any(part => part is "." or ".."))
        )
        {
            yield return new(
                "Docker:AllowedBinds must be absolute folders separated by commas, for example /srv/data;"
                    + $" '{bind}' is not an absolute folder.",
                [nameof(AllowedBinds)]
            );
        }

        if (!IPAddress.TryParse(PublishAddress, out _))
        {
            yield return new(
                "Docker:PublishAddress must be an IP address, for example 127.0.0.1 or 0.0.0.0.",
                [nameof(PublishAddress)]
            );
        }
    }
}

internal static class DockerSetup
{
    public static IServiceCollection AddDocker(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection("Docker");
        services.AddOptions<DockerOptions>().Bind(section).ValidateDataAnnotations().ValidateOnStart();
        if (section.Get<DockerOptions>()?.Address is not { } address)
        {
            return services;
        }

        // A pull takes minutes, so it has a deadline of its own: Outgoing:Deadlines:DockerPulls.
        foreach (var client in (string[])[nameof(DockerClient), nameof(DockerPulls)])
        {
            services.AddHttpClient(client).ConfigurePrimaryHttpMessageHandler(address.CreateHandler);
        }

        services.AddHealthChecks().AddCheck<DockerClient>("docker");
        return services.AddSingleton<DockerClient>().AddSingleton<DockerPulls>().AddSingleton<DockerTools>();
    }
}
