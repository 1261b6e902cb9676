using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Dunlin.TestKit;

/// <summary>The contents of a store as text, for tests that compare two stores.</summary>
internal static class StoreDump
{
    /// <summary>Returns the tables that <c>move</c> copies, of an SQLite file or of the current schema of PostgreSQL.</summary>
    public static async Task<List<string>> TablesAsync(DbConnection connection)
    {
        using var list = connection.CreateCommand();
        list.CommandText =
            connection is SqliteConnection
                ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'dunlin_schema' ORDER BY name"
                : "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename";
        using var rows = await list.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var tables = new List<string>();
        while (await rows.ReadAsync(TestContext.Current.CancellationToken))
            tables.Add(rows.GetString(0));
        return tables;
    }

    /// <summary>Returns all rows of an SQLite file. Opening a store extends its held leases, so the dump leaves their expiry out.</summary>
    public static async Task<string> OfFileAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        foreach (var table in await TablesAsync(connection))
        {
            using var read = connection.CreateCommand();
            read.CommandText = $"SELECT * FROM \"{table}\"";
            using var rows = await read.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            while (await rows.ReadAsync(TestContext.Current.CancellationToken))
            {
                var values = Enumerable
                    .Range(0, rows.FieldCount)
                    .Where(i => rows.GetName(i) != "expires_at")
                    .Select(i => rows.GetValue(i) is byte[] bytes ? Convert.ToHexString(bytes) : $"{rows.GetValue(i)}");
                lines.Add($"{table}: {string.Join('|', values)}");
            }
        }
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }
}
