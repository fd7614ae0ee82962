using System.ComponentModel;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Conformance;

[McpServerResourceType]
public sealed class FixtureResources
{
    [
        McpServerResource(UriTemplate = "test://static-text", Name = "static-text", MimeType = "text/plain"),
        Description("A text.")
    ]
    public static string StaticText() => "This is the content of the static text resource.";

    [
        McpServerResource(UriTemplate = "test://static-binary", Name = "static-binary", MimeType = "image/png"),
        Description("An image.")
    ]
    public static ResourceContents StaticBinary() =>
        BlobResourceContents.FromBytes(ContentTools.Png, "test://static-binary", "image/png");

    [
        McpServerResource(UriTemplate = "test://watched-resource", Name = "watched-resource", MimeType = "text/plain"),
        Description("The resource that the suite subscribes to.")
    ]
    public static string Watched() => "Nothing has happened yet.";

    [
        McpServerResource(UriTemplate = "test://template/{id}/data", Name = "template", MimeType = "application/json"),
        Description("Data by id.")
    ]
    public static ResourceContents Template(string id) =>
        new TextResourceContents
        {
            Uri = $"test://template/{id}/data",
            MimeType = "application/json",
            Text = $$"""{"id":"{{id}}","templateTest":true,"data":"Data for ID: {{id}}"}""",
        };
}
