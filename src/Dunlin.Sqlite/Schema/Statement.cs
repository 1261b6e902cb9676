using System.Text;
using Dunlin.Relational.Sql;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Schema;

/// <summary>A prepared statement of one connection, reused without the allocations of ADO.NET. Not thread-safe.</summary>
/// <remarks>Bind the parameters, then call <see cref="Run"/>, or call <see cref="Step"/> to the end and <see cref="Reset"/>. Or use it as a
/// <see cref="SqlCall"/>, which completes synchronously. Errors are thrown as <see cref="SqliteException"/>, like those of ADO.NET, and the
/// statement is reset.</remarks>
internal sealed class Statement : SqlCall, ISqlRow, IDisposable
{
    // SQLITE_PREPARE_PERSISTENT: the statement is kept for the life of the connection.
    private const uint Persistent = 1;

    // Longer texts are encoded on the heap. Topic names (200 characters) and usual ids fit.
    private const int StackBytes = 512;

    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    // The commands of the text before the last one, which run before it. Their parameters are numbers.
    private readonly List<sqlite3_stmt> _before = [];
    private int _parameter;

    public Statement(sqlite3 database, string sql)
    {
        _database = database;
        for (var rest = sql; ; )
        {
            var code = raw.sqlite3_prepare_v3(database, rest, Persistent, out _statement, out rest);
            if (code != raw.SQLITE_OK)
                throw Fault(database, code);
            if (string.IsNullOrWhiteSpace(rest))
                return;
            _before.Add(_statement);
        }
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

    /// <summary>Moves to the next row. Returns false after the last one.</summary>
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

    /// <summary>Returns the bytes of a blob or text, which are valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public string Text(int column) => Encoding.UTF8.GetString(Bytes(column));

    long ISqlRow.Number(int column) => Int64(column);

    byte[] ISqlRow.Bytes(int column) => Bytes(column).ToArray();

    bool ISqlRow.Flag(int column) => Int64(column) != 0;

    /// <summary>Starts a call: the next parameter is the first one.</summary>
    public Statement Begin()
    {
        _parameter = 0;
        return this;
    }

    public override SqlCall Text(string? value) => Bind(++_parameter, value);

    public override SqlCall Number(long? value)
    {
        _parameter++;
        foreach (var command in _before)
        {
            if (raw.sqlite3_bind_parameter_count(command) >= _parameter)
                Check(raw.sqlite3_bind_int64(command, _parameter, value!.Value));
        }
        return value is { } number ? Bind(_parameter, number) : Bind(_parameter, (string?)null);
    }

    public override SqlCall Bytes(ReadOnlyMemory<byte> value) => Bind(++_parameter, value.Span);

    public override SqlCall Flag(bool value) => Bind(++_parameter, value ? 1 : 0);

    public override ValueTask<int> RunAsync(CancellationToken cancellationToken)
    {
        RunBefore();
        Run();
        return new(raw.sqlite3_changes(_database));
    }

    public override ValueTask<T?> FindAsync<T>(Func<ISqlRow, T> read, CancellationToken cancellationToken)
        where T : default
    {
        RunBefore();
        try
        {
            return new(Step() ? read(this) : default(T?));
        }
        finally
        {
            Reset();
        }
    }

    public override ValueTask<IReadOnlyList<T>> ListAsync<T>(Func<ISqlRow, T> read, CancellationToken cancellationToken)
    {
        RunBefore();
        try
        {
            var rows = new List<T>();
            while (Step())
                rows.Add(read(this));
            return new(rows);
        }
        finally
        {
            Reset();
        }
    }

    public void Dispose()
    {
        foreach (var command in _before)
            command.Dispose();
        _statement.Dispose();
    }

    public static SqliteException Fault(sqlite3 database, int code) =>
        new($"SQLite error {code}: {raw.sqlite3_errmsg(database).utf8_to_string()}", code, raw.sqlite3_extended_errcode(database));

    private void RunBefore()
    {
        foreach (var command in _before)
        {
            var code = raw.sqlite3_step(command);
            var fault = code is raw.SQLITE_DONE or raw.SQLITE_ROW ? null : Fault(_database, code);
            raw.sqlite3_reset(command);
            if (fault is not null)
                throw fault;
        }
    }

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
