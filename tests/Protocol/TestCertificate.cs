using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MinimalMcp.Tests.Protocol;

/// <summary>A certificate that signs itself, in files.</summary>
internal sealed class TestCertificate : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("certificate");

    public TestCertificate(string name, params string[] others)
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var other in others.Prepend(name))
        {
            if (System.Net.IPAddress.TryParse(other, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(other);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddYears(1)
        );
        (Path, KeyPath) = (In("tls.crt"), In("tls.key"));
        File.WriteAllText(Path, certificate.ExportCertificatePem());
        File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
    }

    public string Path { get; }

    public string KeyPath { get; }

    public void Dispose() => _folder.Delete(recursive: true);

    private string In(string file) => System.IO.Path.Combine(_folder.FullName, file);
}
