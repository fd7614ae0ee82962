using MinimalMcp.Configuration;

namespace MinimalMcp.Storage;

/// <summary>The store is unavailable (locked, full, unreachable) or damaged. The message is for the operator.</summary>
internal sealed class StorageException(string message, Exception? inner = null) : StartupException(message, inner);
