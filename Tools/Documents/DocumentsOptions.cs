namespace MinimalMcp.Tools.Documents;

public static class DocumentsSetup
{
    // Its documents alone are no reason: search_products finds them all.
    private const string Sample = "Shop";

    /// <summary>
    /// Listed when a family beside the sample has documents, or as <c>Documents:Enabled</c> says; so it is added after
    /// the families.
    /// </summary>
    public static IServiceCollection AddDocuments(this IServiceCollection services, IConfiguration configuration)
    {
        var types = services
            .Select(service => service.ImplementationInstance)
            .OfType<ToolType>()
            .Select(tool => tool.Type)
            .Where(DocumentSource.IsIn)
            .ToArray();
        var isOn = bool.TryParse(configuration["Documents:Enabled"], out var said)
            ? said
            : types.Any(type => type.Namespace!.Split('.')[^1] != Sample);
        return isOn && types.Length > 0 ? services.AddSingleton<DocumentsTools>() : services;
    }
}
