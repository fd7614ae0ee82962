using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tests.Tools.Documents.Books;
using MinimalMcp.Tests.Tools.Documents.Films;
using MinimalMcp.Tools;
using MinimalMcp.Tools.Documents;

namespace MinimalMcp.Tests.Tools.Documents;

/// <summary>
/// search and fetch over two families of the tests, so that they hold whichever families the product has.
/// </summary>
internal sealed class DocumentsParity : FamilyCalls
{
    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("search", "{}", FailureKind.Arguments),
        ("search", """{"query":""}""", FailureKind.Arguments),
        ("search", """{"query":"down"}""", FailureKind.Upstream),
        ("fetch", """{"id":"nothing"}""", FailureKind.Tool),
        ("fetch", """{"id":"books:shelf/99:a"}""", FailureKind.Tool),
        ("search", """{"query":"night"}""", null),
        ("search", """{"query":"refused"}""", null),
        ("fetch", """{"id":"books:shelf/1:a"}""", null),
    ];

    public override Action<IServiceCollection>? Services => AddTo;

    public static void AddTo(IServiceCollection services)
    {
        Families.TakeOut(services);
        services.AddSingleton<DocumentsTools>();
        foreach (var type in (Type[])[typeof(BooksTools), typeof(FilmsTools), typeof(DocumentsTools)])
        {
            services.AddSingleton(new ToolType(type));
        }
    }
}
