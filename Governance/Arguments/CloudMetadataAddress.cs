using System.Net;
using System.Text.Json;

namespace MinimalMcp.Governance;

/// <summary>
/// Detects addresses that no upstream should fetch: link-local ones, where clouds hand credentials to their machines
/// (169.254.169.254, fd00:ec2::254), and the names of those services. A name that an attacker points there is resolved
/// by the upstream and not here, so this complements the network's own rules.
/// </summary>
internal static class CloudMetadataAddress
{
    private static readonly IPNetwork[] Networks =
    [
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("fe80::/10"),
        IPNetwork.Parse("fd00:ec2::/32"),
        IPNetwork.Parse("fd20:ce::/32"),
        IPNetwork.Parse("100.100.100.200/32"),
        IPNetwork.Parse("192.0.0.192/32"),
    ];

    private static readonly string[] Names =
    [
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.azure.internal",
        "metadata.tencentyun.com",
    ];

    /// <summary>The first such host in a value, which may be a URL, an image name, or JSON with URLs.</summary>
    public static string? In(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => In(value.GetString()!),
            JsonValueKind.Object => value
                .EnumerateObject()
                .Select(member => In(member.Value))
                .FirstOrDefault(host => host is not null),
            JsonValueKind.Array => value.EnumerateArray().Select(In).FirstOrDefault(host => host is not null),
            _ => null,
        };

    private static string? In(string text)
    {
        text = text.Trim();
        if (text is ['{' or '[', ..])
        {
            try
            {
                return In(JsonElement.Parse(text));
            }
            catch (JsonException)
            {
                // "[fe80::1]:80" does not parse
            }
        }

        // A URL, or a host with a port or a path: "169.254.169.254:80/image". A single word is plain text.
        var isAddress = text.Contains("://", StringComparison.Ordinal);
        var isWord = !isAddress && text.AsSpan().IndexOfAny("./:") < 0;
        return
            !isWord
            && Uri.TryCreate(isAddress ? text : $"http://{text}", UriKind.Absolute, out var address)
            && Is(address.IdnHost.Trim('[', ']').TrimEnd('.'))
            ? address.Host
            : null;
    }

    private static bool Is(string host) =>
        IPAddress.TryParse(host, out var address)
            ? Is(address)
            : Names.Contains(host, StringComparer.OrdinalIgnoreCase)
                || host.Contains("169.254.", StringComparison.Ordinal)
                || host.Contains("169-254-", StringComparison.Ordinal);

    private static bool Is(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        // IPv4 within IPv6: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
        IPAddress[] forms = bytes.Length == 4 ? [address] : [address, new(bytes.AsSpan(12)), new(bytes.AsSpan(2, 4))];
        var isWrapped =
            bytes.Length == 16
            && (
                bytes.AsSpan(0, 10).IndexOfAnyExcept((byte)0) < 0
                || bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x00, 0x64, 0xFF, 0x9B])
            );
        var is6To4 = bytes.Length == 16 && bytes is [0x20, 0x02, ..];
        return Networks.Any(network =>
            network.Contains(forms[0])
            || (isWrapped && network.Contains(forms[1]))
            || (is6To4 && network.Contains(forms[2]))
        );
    }
}
