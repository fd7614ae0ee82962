namespace MinimalMcp.Configuration;

internal static class HeadRequests
{
    /// <summary>Adds HEAD to routes that support GET (RFC 9110 section 9.3.2). The server omits the body.</summary>
    public static TBuilder AllowHead<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder
    {
        routes.Add(static endpoint =>
        {
            if (
                endpoint.Metadata.OfType<HttpMethodMetadata>().LastOrDefault() is { } methods
                && methods.HttpMethods is ["GET"]
            )
            {
                endpoint.Metadata.Remove(methods);
                endpoint.Metadata.Add(
                    new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head], methods.AcceptCorsPreflight)
                );
            }
        });
        return routes;
    }
}
