using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Schema;

/// <summary>
/// One prepared statement on one connection, used again and again without the allocations of ADO.NET. Bind, then
/// <see cref="Run"/>, or <see cref="Step"/> to the end and <see cref="Reset"/>. Errors are thrown as
/// <see cref="SqliteException"/>, as ADO.NET would, with the statement reset. Not for concurrent use.
/// </summary>
internal sealed class Statement : IDisposable
{
    // SQLITE_PREPARE_PERSISTENT: it is kept for the life of the connection.
    private const uint Persistent = 1;

    // Longer texts are encoded on the heap. A topic name (200) and every id that is usual fit.
    private const int StackBytes = 512;

    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    public Statement(sqlite3 database, SqlText sql)
    {
        _database = database;
        var code = raw.sqlite3_prepare_v3(database, sql.Text, Persistent, out _statement);
        if (code != raw.SQLITE_OK)
            throw Fault(database, code);
    }

    public Statement Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, index, value));
        return this;
    }

    public Statement Bind(int index, ReadOnlySpan<byte> blob)
    {
        // An empty span would bind NULL.
        Check(blob.IsEmpty ? raw.sqlite3_bind_zeroblob(_statement, index, 0) : raw.sqlite3_bind_blob(_statement, index, blob));
        return this;
    }

    public Statement Bind(int index, string? text)
    {
        if (text is null)
            Check(raw.sqlite3_bind_null(_statement, index));
        else if (text.Length == 0 || Encoding.UTF8.GetMaxByteCount(text.Length) > StackBytes)
            Check(raw.sqlite3_bind_text(_statement, index, text));
        else
            BindShort(index, text);
        return this;
    }

    /// <summary>Goes to the next row; false after the last one.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(_statement);
        return code == raw.SQLITE_ROW || (code == raw.SQLITE_DONE ? false : throw Failed(code));
    }

    /// <summary>Runs a statement without rows.</summary>
    public void Run()
    {
        var code = raw.sqlite3_step(_statement);
        if (code is not raw.SQLITE_DONE and not raw.SQLITE_ROW)
            throw Failed(code);
        raw.sqlite3_reset(_statement);
    }

    public void Reset() => raw.sqlite3_reset(_statement);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    /// <summary>The bytes of a blob or text; valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public string Text(int column) => Encoding.UTF8.GetString(Bytes(column));

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public void Dispose() => _statement.Dispose();

    public static SqliteException Fault(sqlite3 database, int code) =>
        new($"SQLite error {code}: {raw.sqlite3_errmsg(database).utf8_to_string()}", code, raw.sqlite3_extended_errcode(database));

    private void BindShort(int index, string text)
    {
        Span<byte> utf8 = stackalloc byte[StackBytes];
        Check(raw.sqlite3_bind_text(_statement, index, utf8[..Encoding.UTF8.GetBytes(text, utf8)]));
    }

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw Failed(code);
    }

    private SqliteException Failed(int code)
    {
        var fault = Fault(_database, code);
        raw.sqlite3_reset(_statement);
        return fault;
    }
}
