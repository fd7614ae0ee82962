using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>Checks that the files of the server's certificates exist (Kestrel's sections).</summary>
internal sealed class CertificateCheck(IConfiguration configuration, IHostEnvironment environment)
    : IValidateOptions<ServerOptions>
{
    private static readonly string[] Files = ["Path", "KeyPath"];

    public ValidateOptionsResult Validate(string? name, ServerOptions options)
    {
        var missing = Certificates()
            .SelectMany(certificate => Files.Select(file => certificate.GetSection(file)))
            .Where(file =>
                file.Value is { Length: > 0 } path && !File.Exists(Path.Combine(environment.ContentRootPath, path))
            )
            .Select(file =>
                $"{file.Path} is '{file.Value}', and there is no such file"
                + $"{(Path.IsPathRooted(file.Value) ? "" : $" in {environment.ContentRootPath}")}."
            )
            .ToArray();
        return missing.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(missing);
    }

    private IEnumerable<IConfigurationSection> Certificates()
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().ToArray();
        return configuration
            .GetSection("Kestrel:Certificates")
            .GetChildren()
            .Concat(endpoints.Select(endpoint => endpoint.GetSection("Certificate")))
            .Concat(
                endpoints
                    .SelectMany(endpoint => endpoint.GetSection("Sni").GetChildren())
                    .Select(name => name.GetSection("Certificate"))
            );
    }
}
