using System.Data.Common;
using System.Globalization;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Postgres;
using Dunlin.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace Dunlin.Host;

/// <summary>
/// Moves everything from an SQLite file into an empty PostgreSQL database: journal, leases, records, accounts, sessions and the
/// tables of the systems, with the positions and the epoch, so that open pages resume as if nothing had happened. The file is
/// read in one snapshot and is not changed; the database gets all of it in one transaction, or nothing.
/// </summary>
internal sealed class StoreMover(IServiceProvider services, TextWriter progress)
{
    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    /// <returns>The rows moved.</returns>
    /// <exception cref="InvalidOperationException">The target is not empty, or lacks a table that the source has.</exception>
    public async Task<long> RunAsync(string file, string connectionString)
    {
        if (!File.Exists(file))
            throw new InvalidOperationException($"There is no file '{file}'.");
        var schemas = services.GetServices<SchemaScripts>();
        var clock = services.GetRequiredService<StoreClock>();
        var retention = Microsoft.Extensions.Options.Options.Create(new RetentionOptions());
        await using var source = new SqliteStore(
            Microsoft.Extensions.Options.Options.Create(new SqliteOptions { Path = file, ReadLimit = Limit }), retention, schemas, new CommitFeed(), clock,
            services.GetRequiredService<ILogger<SqliteStore>>());
        await source.OpenAsync();
        await using var target = new PostgresStore(
            Microsoft.Extensions.Options.Options.Create(new PostgresOptions { ConnectionString = connectionString, WriteLimit = Limit }), retention, schemas, new CommitFeed(), clock,
            services.GetRequiredService<ILogger<PostgresStore>>());
        await target.OpenAsync();
        if (target.Head.Offset != 0)
            throw new InvalidOperationException("The database is not empty: its journal has events. Move into a new one.");
        return await source.ReadAsync(
            (from, _) => target.WriteAsync((to, _) => new ValueTask<long>(MoveAsync(from.Connection, (NpgsqlConnection)to.Connection))));
    }

    private async Task<long> MoveAsync(DbConnection from, NpgsqlConnection to)
    {
        long all = 0;
        var tables = await TablesAsync(from);
        // In an order of references, because each is checked at its row; the journal's own tables refer to nothing.
        foreach (var table in await OrderAsync(to, tables))
            all += table is "dunlin_counter" ? await MoveCountersAsync(from, to) : await MoveAsync(from, to, table);
        foreach (var table in new[] { "dunlin_topic", "dunlin_record" })
            await ExecuteAsync(to, $"SELECT setval(pg_get_serial_sequence('{table}', 'id'), greatest((SELECT max(id) FROM {table}), 1))");
        return all;
    }

    private async Task<long> MoveAsync(DbConnection from, NpgsqlConnection to, string table)
    {
        var total = await CountAsync(from, table);
        var columns = await ColumnsAsync(to, table);
        using var read = from.CreateCommand();
        read.CommandText = $"SELECT {string.Join(", ", columns.Select(column => $"\"{column.Name}\""))} FROM \"{table}\"";
        await using var rows = await read.ExecuteReaderAsync();
        await using var copy = await to.BeginBinaryImportAsync($"COPY \"{table}\" ({string.Join(", ", columns.Select(column => $"\"{column.Name}\""))}) FROM STDIN (FORMAT BINARY)");
        long done = 0;
        while (await rows.ReadAsync())
        {
            await copy.StartRowAsync();
            for (var i = 0; i < columns.Count; i++)
                await WriteAsync(copy, rows, i, columns[i].Type);
            if (++done % 1_000 == 0)
                Show(table, done, total);
        }
        await copy.CompleteAsync();
        Show(table, done, total);
        await progress.WriteLineAsync();
        return done;
    }

    private static Task WriteAsync(NpgsqlBinaryImporter copy, DbDataReader row, int column, NpgsqlDbType type) => row.IsDBNull(column)
        ? copy.WriteNullAsync()
        : type switch
        {
            NpgsqlDbType.Bytea => copy.WriteAsync((byte[])row.GetValue(column), type),
            NpgsqlDbType.Bigint => copy.WriteAsync(row.GetInt64(column), type),
            NpgsqlDbType.Integer => copy.WriteAsync(row.GetInt32(column), type),
            NpgsqlDbType.Boolean => copy.WriteAsync(row.GetInt64(column) != 0, type),
            _ => copy.WriteAsync(row.GetString(column), type),
        };

    /// <summary>The single numbers: what a sequence is here, and what the scripts have put there already, is set.</summary>
    private static async Task<long> MoveCountersAsync(DbConnection from, NpgsqlConnection to)
    {
        long count = 0;
        using var read = from.CreateCommand();
        read.CommandText = "SELECT name, value FROM dunlin_counter";
        await using var rows = await read.ExecuteReaderAsync();
        for (; await rows.ReadAsync(); count++)
        {
            var (name, value) = (rows.GetString(0), rows.GetInt64(1));
            if (name == "fence")
                await ExecuteAsync(to, string.Create(CultureInfo.InvariantCulture, $"SELECT setval('dunlin_fence', {Math.Max(value, 1)}, {(value > 0 ? "true" : "false")})"));
            else
                await ExecuteAsync(to, string.Create(CultureInfo.InvariantCulture, $"INSERT INTO dunlin_counter (name, value) VALUES ('{name.Replace("'", "''", StringComparison.Ordinal)}', {value}) ON CONFLICT (name) DO UPDATE SET value = excluded.value"));
        }
        return count;
    }

    private static async Task<List<string>> TablesAsync(DbConnection from)
    {
        using var read = from.CreateCommand();
        read.CommandText = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'dunlin_schema' ORDER BY name";
        await using var rows = await read.ExecuteReaderAsync();
        var tables = new List<string>();
        while (await rows.ReadAsync())
            tables.Add(rows.GetString(0));
        return tables;
    }

    /// <summary>The tables, each after those that it refers to.</summary>
    private static async Task<List<string>> OrderAsync(NpgsqlConnection to, List<string> tables)
    {
        var references = new HashSet<(string Table, string To)>();
        await using (var command = new NpgsqlCommand(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace", to))
        await using (var rows = await command.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync())
                references.Add((rows.GetString(0), rows.GetString(1)));
        }
        var (ordered, left) = (new List<string>(), tables.ToList());
        while (left.Count > 0)
        {
            var next = left.FirstOrDefault(table => !references.Any(r => r.Table == table && r.To != table && left.Contains(r.To)))
                ?? throw new InvalidOperationException($"The tables {string.Join(", ", left)} refer to each other in a circle.");
            left.Remove(next);
            ordered.Add(next);
        }
        return ordered;
    }

    private static async Task<List<(string Name, NpgsqlDbType Type)>> ColumnsAsync(NpgsqlConnection to, string table)
    {
        await using var command = new NpgsqlCommand(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position", to);
        command.Parameters.AddWithValue(table);
        await using var rows = await command.ExecuteReaderAsync();
        var columns = new List<(string, NpgsqlDbType)>();
        while (await rows.ReadAsync())
        {
            columns.Add((rows.GetString(0), rows.GetString(1) switch
            {
                "bytea" => NpgsqlDbType.Bytea,
                "int8" => NpgsqlDbType.Bigint,
                "int4" => NpgsqlDbType.Integer,
                "bool" => NpgsqlDbType.Boolean,
                _ => NpgsqlDbType.Text,
            }));
        }
        return columns.Count > 0 ? columns : throw new InvalidOperationException($"The database has no table '{table}'. Nothing was moved.");
    }

    private static async Task<long> CountAsync(DbConnection from, string table)
    {
        using var command = from.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM \"{table}\"";
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    private static async Task ExecuteAsync(NpgsqlConnection to, string sql)
    {
        await using var command = new NpgsqlCommand(sql, to);
        await command.ExecuteNonQueryAsync();
    }

    private void Show(string table, long done, long total)
    {
        const int width = 30;
        var filled = total == 0 ? width : (int)(done * width / total);
        progress.Write(string.Create(CultureInfo.InvariantCulture, $"\r{table,-28} [{new string('#', filled)}{new string('.', width - filled)}] {done}/{total}"));
    }
}
