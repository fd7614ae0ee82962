using MinimalMcp.Configuration;

namespace MinimalMcp.Storage;

/// <summary>The store cannot be used now (locked, full, gone) or at all (damaged). The message is for whoever runs the server.</summary>
public sealed class StorageException(string message, Exception? inner = null) : StartException(message, inner);
