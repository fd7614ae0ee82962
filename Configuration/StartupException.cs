namespace MinimalMcp.Configuration;

/// <summary>Why the server cannot start, with the fix. Shown without a stack trace.</summary>
internal class StartupException(string message, Exception? inner = null) : Exception(message, inner);
