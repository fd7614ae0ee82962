using System.Net;
using System.Text.Json;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Hub.Remote;

namespace MinimalMcp.Hub.SignIn;

/// <summary>
/// Requests to the authorization servers of other servers. The addresses come from those servers: only https, or http
/// to the same host or to this machine; nothing link-local, no redirects, small JSON, and soon.
/// </summary>
internal sealed class OAuthRequests : IDisposable
{
    private const int MaxBytes = 256 << 10;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly HttpMessageInvoker _http = new(RemoteAddress.Sockets(new HubOptions()));

    /// <summary>The document, or null when there is none.</summary>
    public async Task<JsonElement?> GetAsync(Uri url, Uri server, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        var (status, body) = await SendAsync(request, server, cancellationToken);
        return status is HttpStatusCode.OK ? body : null;
    }

    /// <summary>The challenge of a server to a request without a credential (RFC 9728 section 5.1).</summary>
    public async Task<string?> ChallengeAsync(Uri server, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var request = new HttpRequestMessage(HttpMethod.Get, server);
        request.Headers.Accept.ParseAdd("text/event-stream");
        try
        {
            using var response = await _http.SendAsync(request, limit.Token);
            return response.StatusCode is HttpStatusCode.Unauthorized
                ? response
                    .Headers.WwwAuthenticate.FirstOrDefault(challenge =>
                        challenge.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)
                    )
                    ?.Parameter
                : null;
        }
        catch (Exception failure) when (IsFailure(failure) && !cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamLostException($"The server does not answer: {RemoteAddress.Reason(failure)}.", failure);
        }
    }

    public async Task<(HttpStatusCode Status, JsonElement? Body)> SendAsync(
        HttpRequestMessage request,
        Uri server,
        CancellationToken cancellationToken
    )
    {
        var url = request.RequestUri!;
        if (
            !RemoteAddress.IsAllowed(url.AbsoluteUri)
            || !(url.Scheme == "https" || url.IsLoopback || (server.Scheme == "http" && url.Host == server.Host))
        )
        {
            throw new UpstreamRefusedException($"{Shown(url)} is not asked: its address must begin with https.");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        request.Headers.Accept.ParseAdd("application/json");
        try
        {
            using var response = await _http.SendAsync(request, limit.Token);
            var bytes = new byte[MaxBytes];
            await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
            var length = await body.ReadAtLeastAsync(bytes, MaxBytes, throwOnEndOfStream: false, limit.Token);
            return (response.StatusCode, length < MaxBytes ? Json(bytes.AsSpan(0, length)) : null);
        }
        catch (Exception failure) when (IsFailure(failure) && !cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamLostException($"{Shown(url)} does not answer: {RemoteAddress.Reason(failure)}", failure);
        }
    }

    /// <summary>Adds the form and the credentials of a client.</summary>
    public static void Authenticate(HttpRequestMessage request, Dictionary<string, string> form, OAuthClient client) =>
        ClientCredentials.Add(request, form, client.Id, client.Secret, client.Method != "client_secret_basic");

    public void Dispose() => _http.Dispose();

    private static string Shown(Uri url) => url.GetLeftPart(UriPartial.Path);

    private static bool IsFailure(Exception failure) =>
        failure is HttpRequestException or IOException or OperationCanceledException;

    private static JsonElement? Json(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictJson.ParseObject(bytes);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>Who we are at an authorization server.</summary>
internal sealed record OAuthClient(string Id, string? Secret, string Method);
