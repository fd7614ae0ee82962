namespace MinimalMcp.Outgoing;

internal sealed class ResilientHandler(Upstream upstream) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        // SocketsHttpHandler silently resends a request without content up to four times when the peer closes the
        // connection, even POST and DELETE (dotnet/runtime#86714). Empty content prevents that; retries are decided in
        // Upstream, within its budget.
        request.Content ??= new ByteArrayContent([]);
        return new ResilientRequest(upstream, request, base.SendAsync, cancellationToken).StartAsync();
    }
}
