namespace MinimalMcp.Configuration;

/// <summary>Figures that a folder adds to <c>/status</c>, which does not know the folder.</summary>
internal interface IStatusFigures
{
    /// <summary>Names as they are shown, and their values. Reads memory only.</summary>
    IEnumerable<(string Name, long Value)> Read();
}
