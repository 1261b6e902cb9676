using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Moving;

/// <summary>Reads and inserts the rows that belong to the journal, for exports and imports. Each row is a line of the file.</summary>
internal static class TransferTables
{
    private const int RowsPerStatement = 100;

    /// <summary>Gets the tables, in the order in which they are exported and imported. Add a table here if its rows mean nothing without
    /// the journal. Its columns have the same names in every dialect, and hold texts, integers and bytes.</summary>
    public static IReadOnlyList<string> Names { get; } = ["dunlin_stream", "dunlin_stream_producer"];

    /// <summary>Reads all rows in the order of their first two columns.</summary>
    public static async ValueTask ReadAsync(ISqlSession session, Func<TableRow, ValueTask> read, CancellationToken cancellationToken)
    {
        foreach (var table in Names)
        {
            var columns = await ColumnsAsync(session, table, cancellationToken);
            await using var command = session.Connection.CreateCommand();
            command.CommandText = $"SELECT {List(columns.Select(static column => column.Name))} FROM \"{table}\" ORDER BY 1, 2";
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var values = new Dictionary<string, object>(StringComparer.Ordinal);
                for (var i = 0; i < columns.Count; i++)
                {
                    if (!rows.IsDBNull(i))
                        values.Add(columns[i].Name, rows.GetValue(i));
                }
                await read(new TableRow(table, values));
            }
        }
    }

    public static async ValueTask<bool> AreEmptyAsync(ISqlSession session, CancellationToken cancellationToken)
    {
        foreach (var table in Names)
        {
            await using var command = session.Connection.CreateCommand();
            command.CommandText = $"SELECT count(*) FROM (SELECT 1 FROM \"{table}\" LIMIT 1) AS found";
            if (Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture) > 0)
                return false;
        }
        return true;
    }

    public static async ValueTask ClearAsync(ISqlSession session, CancellationToken cancellationToken)
    {
        foreach (var table in Names.Reverse())
        {
            await using var command = session.Connection.CreateCommand();
            command.CommandText = $"DELETE FROM \"{table}\"";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <exception cref="FormatException">A row has a column that the table lacks, or a value of another type.</exception>
    public static async ValueTask InsertAsync(ISqlSession session, IReadOnlyList<TableRow> rows, CancellationToken cancellationToken)
    {
        foreach (var table in rows.GroupBy(static row => row.Table, StringComparer.Ordinal))
        {
            var columns = await ColumnsAsync(session, table.Key, cancellationToken);
            foreach (var chunk in table.Chunk(RowsPerStatement))
            {
                await using var command = session.Connection.CreateCommand();
                var tuples = chunk.Select((row, i) => $"({string.Join(", ", Parameters(command, columns, row, i * columns.Count))})");
                command.CommandText =
                    $"INSERT INTO \"{table.Key}\" ({List(columns.Select(static column => column.Name))}) VALUES {string.Join(", ", tuples)}";
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
        }
    }

    private static List<string> Parameters(DbCommand command, IReadOnlyList<SqlColumn> columns, TableRow row, int first)
    {
        if (row.Values.Keys.FirstOrDefault(name => columns.All(column => column.Name != name)) is { } unknown)
            throw new FormatException($"The table '{row.Table}' has no column '{unknown}'. Import with the version that exported.");
        var names = new List<string>(columns.Count);
        foreach (var column in columns)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = $"@p{first + names.Count}";
            // A null needs the type too: a database cannot infer it in a list of rows.
            parameter.DbType = TypeOf(column);
            parameter.Value = ValueOf(row, column, parameter.DbType);
            command.Parameters.Add(parameter);
            names.Add(parameter.ParameterName);
        }
        return names;
    }

    private static object ValueOf(TableRow row, SqlColumn column, DbType type) =>
        (row.Values.GetValueOrDefault(column.Name), type) switch
        {
            (null, _) => DBNull.Value,
            (string text, DbType.String) => text,
            (long number, DbType.Int64) => number,
            (byte[] bytes, DbType.Binary) => bytes,
            _ => throw new FormatException($"The column '{column.Name}' of '{row.Table}' has a value of another type."),
        };

    private static DbType TypeOf(SqlColumn column) =>
        column.Type.ToUpperInvariant() switch
        {
            "TEXT" => DbType.String,
            "INTEGER" or "INT8" => DbType.Int64,
            "BLOB" or "BYTEA" => DbType.Binary,
            var other => throw new NotSupportedException($"The column '{column.Name}' has the type '{other}', which exports cannot hold."),
        };

    private static async ValueTask<IReadOnlyList<SqlColumn>> ColumnsAsync(
        ISqlSession session,
        string table,
        CancellationToken cancellationToken
    ) =>
        await session.Call("table_columns").Text(table).ListAsync(static row => new SqlColumn(row.Text(0), row.Text(1)), cancellationToken);

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Select(static name => $"\"{name}\""));
}

/// <summary>A row of a table that belongs to the journal. Immutable.</summary>
/// <param name="Table">The table, one of <see cref="TransferTables.Names"/>.</param>
/// <param name="Values">The values by column, without nulls: <see cref="string"/>, <see cref="long"/> or an array of bytes.</param>
internal sealed record TableRow(string Table, IReadOnlyDictionary<string, object> Values)
{
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("table", Table);
        json.WriteStartObject("row");
        foreach (var (name, value) in Values)
        {
            json.WritePropertyName(name);
            if (value is string text)
            {
                json.WriteStringValue(text);
            }
            else if (value is byte[] bytes)
            {
                json.WriteStartObject();
                json.WriteBase64String("base64", bytes);
                json.WriteEndObject();
            }
            else
            {
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
            }
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Reads the value of the field <c>row</c>; the reader is at its start.</summary>
    /// <exception cref="FormatException">A value is neither text, integer nor bytes.</exception>
    public static Dictionary<string, object> Read(ref Utf8JsonReader reader)
    {
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("it must be an object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            values[name] = reader.TokenType switch
            {
                JsonTokenType.String => reader.GetString()!,
                JsonTokenType.Number => reader.GetInt64(),
                JsonTokenType.StartObject => Bytes(ref reader),
                var other => throw new FormatException($"'{name}' must be a text, an integer or bytes, not {other}."),
            };
        }
        return values;
    }

    private static byte[] Bytes(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("base64"u8))
            throw new FormatException("bytes must be an object with \"base64\".");
        reader.Read();
        var bytes = reader.GetBytesFromBase64();
        reader.Read();
        return bytes;
    }
}
