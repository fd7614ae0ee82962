using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Tools.Cway;

/// <summary>The bearer token that Cway gets: the one of the settings, or access tokens of Microsoft Entra ID.</summary>
internal sealed class CwayTokenClient(IOptions<CwayOptions> options, IHttpClientFactory http, TimeProvider time)
    : IDisposable
{
    private static readonly TimeSpan Early = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _signingIn = new(1, 1);
    private volatile Access? _access;

    internal async ValueTask<string> GetAsync(CancellationToken ct)
    {
        var settings = options.Value;
        if (!settings.UsesOAuth)
        {
            return settings.Token!;
        }

        if (_access is { } held && held.Until > time.GetUtcNow())
        {
            return held.Token;
        }

        await _signingIn.WaitAsync(ct); // one request, however many calls wait for it
        try
        {
            if (_access is not { } access || access.Until <= time.GetUtcNow())
            {
                _access = access = await SignInAsync(settings, ct);
            }

            return access.Token;
        }
        finally
        {
            _signingIn.Release();
        }
    }

    public void Dispose() => _signingIn.Dispose();

    // Client credentials (RFC 6749 section 4.4), as Microsoft Entra ID takes them.
    private async Task<Access> SignInAsync(CwayOptions settings, CancellationToken ct)
    {
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = settings.ClientId!,
                ["client_secret"] = settings.ClientSecret!,
                ["scope"] = settings.Scope,
            }
        );
        var address = $"{settings.Authority.TrimEnd('/')}/{Uri.EscapeDataString(settings.TenantId!)}/oauth2/v2.0/token";
        using var response = await http.CreateClient(nameof(CwayClient)).PostAsync(new Uri(address), form, ct);
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        if (response.IsSuccessStatusCode && Read(body) is { } access)
        {
            return access;
        }

        throw new HttpRequestException(
            $"The sign-in for Cway failed: {settings.Authority} answered {(int)response.StatusCode} without a token. "
                + "Check AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and OAUTH2_SCOPE.",
            null,
            HttpStatusCode.Unauthorized
        );
    }

    private Access? Read(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var token = json.RootElement.GetProperty("access_token").GetString();
            var seconds = json.RootElement.TryGetProperty("expires_in", out var expires) ? expires.GetDouble() : 600;
            var lifetime = TimeSpan.FromSeconds(Math.Clamp(seconds, 60, 86_400));
            return string.IsNullOrEmpty(token)
                ? null
                : new(token, time.GetUtcNow() + (lifetime > 2 * Early ? lifetime - Early : lifetime / 2));
        }
        catch (Exception wrong)
            when (wrong is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private sealed record Access(string Token, DateTimeOffset Until);
}
