using System.Buffers;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace MinimalMcp.Storage;

/// <summary>
/// Inserts by a statement that is prepared once and bound by position. ADO.NET's commands look every parameter up by
/// its name, for each row.
/// </summary>
internal static class SqliteInsert
{
    public static void Run(SqliteConnection connection, string table, string[] columns, IEnumerable<object?[]> rows)
    {
        var database = connection.Handle!;
        Check(
            raw.sqlite3_prepare_v2(
                database,
                $"insert into {table} ({string.Join(", ", columns)}) values "
                    + $"({string.Join(", ", columns.Select(_ => "?"))})",
                out var statement
            ),
            database
        );
        using (statement)
        {
            var utf8 = new ArrayBufferWriter<byte>(256);
            object?[]? last = null;
            foreach (var row in rows)
            {
                for (var column = 0; column < row.Length; column++)
                {
                    if (last is not null && Equals(last[column], row[column]))
                    {
                        // a binding stays until the next one, and most of what is recorded of a call is as in the one
                        // before it
                        continue;
                    }

                    Check(
                        row[column] switch
                        {
                            null => raw.sqlite3_bind_null(statement, column + 1),
                            long number => raw.sqlite3_bind_int64(statement, column + 1, number),
                            "" => raw.sqlite3_bind_text(statement, column + 1, ""), // no bytes would be NULL
                            var text => raw.sqlite3_bind_text(statement, column + 1, Utf8((string)text, utf8)),
                        },
                        database
                    );
                }

                var stepped = raw.sqlite3_step(statement);
                if (stepped != raw.SQLITE_DONE)
                {
                    Check(stepped, database);
                }

                raw.sqlite3_reset(statement);
                last = row;
            }
        }
    }

    private static ReadOnlySpan<byte> Utf8(string text, ArrayBufferWriter<byte> buffer)
    {
        buffer.ResetWrittenCount();
        Encoding.UTF8.GetBytes(text, buffer);
        return buffer.WrittenSpan;
    }

    private static void Check(int result, sqlite3 database) => SqliteException.ThrowExceptionForRC(result, database);
}
