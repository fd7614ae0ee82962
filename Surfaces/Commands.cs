using MinimalMcp.Auth;
using MinimalMcp.Storage;

namespace MinimalMcp.Surfaces;

/// <summary>What the program does instead of serving, when its first argument says so.</summary>
public static class Commands
{
    /// <summary>The exit code of the command; null when the server is to start.</summary>
    public static async Task<int?> RunCommandAsync(this WebApplication app, string[] args) =>
        args.FirstOrDefault() switch
        {
            "export-openapi" => await app.ExportOpenApiAsync(args),
            "backup" => await app.BackupAsync(args),
            "restore" => await app.RestoreAsync(args),
            "verify-audit" => await app.VerifyAuditAsync(),
            "hash-password" => app.HashPassword(),
            _ => null,
        };
}
