using System.Data.Common;
using System.Globalization;
using Dunlin.Relational.Schema;
using Dunlin.Relational.Sql;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Schema;

/// <summary>An open connection with its prepared statements. Not thread-safe, except <see cref="Dispose"/>, but not bound to one
/// thread.</summary>
internal sealed class Database : ISchemaSession, IDisposable
{
    private static readonly SqlText ConfigureWriter = new("configure_writer");
    private static readonly SqlText ConfigureReader = new("configure_reader");
    private static readonly SqlText SynchronousFull = new("synchronous_full");
    private static readonly SqlText SynchronousNormal = new("synchronous_normal");
    private static readonly SqlText BeginSql = new("begin");
    private static readonly SqlText CommitSql = new("commit");
    private static readonly SqlText RollbackSql = new("rollback");

    /// <summary>The statements that every store has.</summary>
    public static readonly SqlDialect Dialect = new("sqlite", isShared: false, typeof(Database).Assembly);

    // Guards _statements, _calls and _isClosed: a connection is closed during a unit of work or read that takes too long.
    private readonly Lock _lock = new();
    private readonly Dictionary<SqlText, Statement> _statements = [];
    private readonly Dictionary<string, Statement> _calls = new(StringComparer.Ordinal);
    private bool _isClosed;

    private Database(SqliteConnection connection) => Connection = connection;

    public SqliteConnection Connection { get; }

    DbConnection ISqlSession.Connection => Connection;

    public sqlite3 Handle => Connection.Handle!;

    /// <summary>Gets whether a transaction is open.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Handle) == 0;

    public static Database OpenWriter(string path, bool isFull, TimeSpan busyTimeout, long? maxBytes)
    {
        var database = Open(path, SqliteOpenMode.ReadWriteCreate, busyTimeout);
        try
        {
            database.Execute(ConfigureWriter.Text);
            database.Execute((isFull ? SynchronousFull : SynchronousNormal).Text);
            if (maxBytes is { } limit)
                database.Execute($"PRAGMA max_page_count = {Math.Max(1, limit / database.Number("PRAGMA page_size"))}");
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public static Database OpenReader(string path, TimeSpan busyTimeout)
    {
        var database = Open(path, SqliteOpenMode.ReadOnly, busyTimeout);
        database.Execute(ConfigureReader.Text);
        return database;
    }

    /// <summary>Returns the statement, which is prepared at its first use on this connection.</summary>
    public Statement Prepare(SqlText sql)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (_statements.TryGetValue(sql, out var statement))
                return statement;
            statement = new Statement(Handle, sql.Text);
            _statements.Add(sql, statement);
            return statement;
        }
    }

    /// <summary>Starts a call of a statement that every store has. The statement is prepared at its first use on this connection.</summary>
    public SqlCall Call(string name)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (!_calls.TryGetValue(name, out var statement))
                _calls.Add(name, statement = new Statement(Handle, Dialect[name]));
            return statement.Begin();
        }
    }

    public bool IsDuplicate(DbException exception) => exception is SqliteException { SqliteErrorCode: raw.SQLITE_CONSTRAINT };

    public ValueTask BeginAsync(CancellationToken cancellationToken) => RunAsync(BeginSql);

    public ValueTask CommitAsync(CancellationToken cancellationToken) => RunAsync(CommitSql);

    public ValueTask RollbackAsync() => InTransaction ? RunAsync(RollbackSql) : default;

    public ValueTask ExecuteAsync(string script, CancellationToken cancellationToken)
    {
        Execute(script);
        return default;
    }

    public async ValueTask<long> InsertAsync(
        string table,
        IReadOnlyList<SqlColumn> columns,
        DbDataReader rows,
        Action<long> inserted,
        CancellationToken cancellationToken
    )
    {
        using var command = Connection.CreateCommand();
        var names = string.Join(", ", columns.Select(column => $"\"{column.Name}\""));
        command.CommandText = $"INSERT INTO \"{table}\" ({names}) VALUES ({string.Join(", ", columns.Select((_, i) => $"${i}"))})";
        var parameters = columns.Select((_, i) => command.Parameters.Add($"${i}", SqliteType.Blob)).ToList();
        long count = 0;
        while (await rows.ReadAsync(cancellationToken))
        {
            for (var i = 0; i < parameters.Count; i++)
            {
                parameters[i].ResetSqliteType();
                parameters[i].Value = rows.GetValue(i);
            }
            command.ExecuteNonQuery();
            inserted(++count);
        }
        return count;
    }

    /// <summary>Runs a script of one or more statements.</summary>
    public void Execute(string script)
    {
        using var command = Connection.CreateCommand();
        command.CommandText = script;
        command.ExecuteNonQuery();
    }

    public long Number(string sql)
    {
        using var command = Connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    public string Text(string sql)
    {
        using var command = Connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>Closes the connection, from any thread. Current users get errors. All statements are disposed first: SQLite keeps a
    /// connection with open statements, and its snapshot, alive.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            foreach (var statement in _statements.Values.Concat(_calls.Values))
                statement.Dispose();
            _statements.Clear();
            _calls.Clear();
        }
        var handle = Connection.Handle;
        try
        {
            Connection.Dispose();
        }
        catch (Exception exception) when (exception is SqliteException or InvalidOperationException)
        {
            // ADO.NET fails to roll back a transaction that is gone, and then does not close the handle.
            handle?.Dispose();
        }
    }

    private ValueTask RunAsync(SqlText sql)
    {
        Prepare(sql).Run();
        return default;
    }

    private static Database Open(string path, SqliteOpenMode mode, TimeSpan busyTimeout)
    {
        // The store pools connections itself. A connection in the provider's pool would outlive the store and keep the file open.
        var text = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
        };
        var connection = new SqliteConnection(text.ToString());
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle, (int)busyTimeout.TotalMilliseconds);
            return new Database(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
