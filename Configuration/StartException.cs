namespace MinimalMcp.Configuration;

/// <summary>Why the server cannot start, in a sentence with the cure. No stack is shown.</summary>
public class StartException(string message, Exception? inner = null) : Exception(message, inner);
