namespace MinimalMcp.Tools.Documents;

/// <summary>The door of the family.</summary>
internal static class DocumentsSetup
{
    /// <summary>The family that is there without settings. search_products finds all of its documents.</summary>
    internal const string Sample = "Shop";

    /// <summary>
    /// Adds the tools when a family beside the sample has documents, or as <c>Documents:Enabled</c> decides. It comes
    /// after the families.
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
