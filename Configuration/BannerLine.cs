namespace MinimalMcp.Configuration;

/// <summary>A line that a folder adds to the banner, which does not know the folder; none without a text.</summary>
internal sealed record BannerLine(string Label, string? Text);
