namespace MinimalMcp.Outgoing;

internal sealed class OutgoingHandler(Upstream upstream) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        // A request without content is silently sent up to four times when the peer closes without an answer, POST and
        // DELETE too
        // (dotnet/runtime#86714). Content, even empty, makes it one; what may be sent again is decided in Upstream,
        // within its budget.
        request.Content ??= new ByteArrayContent([]);
        return new Exchange(upstream, request, base.SendAsync, cancellationToken).StartAsync();
    }
}
