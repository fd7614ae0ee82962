using System.Data.Common;
using System.Globalization;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>The tables, and their version.</summary>
internal static class Schema
{
    public const int Version = 1;

    public static void Apply(DbConnection connection, string place)
    {
        using var resource = typeof(Schema).Assembly.GetManifestResourceStream("MinimalMcp.Storage.schema.sql")!;
        using var reader = new StreamReader(resource);
        using var transaction = connection.BeginTransaction();
        connection.Execute(reader.ReadToEnd(), transaction: transaction);
        connection.Execute("insert into meta (name, value) values ('schema', @version) on conflict (name) do nothing", new { version = Version.ToString(CultureInfo.InvariantCulture) }, transaction);
        connection.Execute("insert into audit_head (id, seq, hash) values (1, 0, '') on conflict (id) do nothing", transaction: transaction);
        var found = int.Parse(connection.ExecuteScalar<string>("select value from meta where name = 'schema'", transaction: transaction)!, CultureInfo.InvariantCulture);
        if (found != Version)
        {
            throw new StorageException($"{place} has version {found} of the schema, and this server knows version {Version}. Start the version of the server that wrote it, or restore a backup.");
        }

        transaction.Commit();
    }
}
