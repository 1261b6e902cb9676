using System.Data.Common;

namespace Dunlin.Relational.Sql;

/// <summary>An open connection that runs the named statements of its dialect. Not thread-safe: one statement at a time.</summary>
/// <remarks>SQLite completes every call synchronously on the calling thread. PostgreSQL completes calls asynchronously.</remarks>
internal interface ISqlSession
{
    /// <summary>Gets the ADO.NET connection, for statements of the application.</summary>
    DbConnection Connection { get; }

    /// <summary>Starts a call of the statement <c>{name}.sql</c>. The call is valid until the next one starts.</summary>
    SqlCall Call(string name);

    /// <summary>Returns whether a statement failed because another row has the same unique value.</summary>
    bool IsDuplicate(DbException exception);

    /// <summary>Inserts rows into a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="columns">The columns of the table. <paramref name="rows"/> has one column for each, in this order.</param>
    /// <param name="rows">The rows, from the session of another store.</param>
    /// <param name="inserted">Receives the number of inserted rows after each row.</param>
    /// <param name="cancellationToken">Cancels the copy.</param>
    /// <returns>The number of rows.</returns>
    ValueTask<long> InsertAsync(
        string table,
        IReadOnlyList<SqlColumn> columns,
        DbDataReader rows,
        Action<long> inserted,
        CancellationToken cancellationToken
    );
}

/// <summary>A column of a table. Immutable.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">The type in the syntax of the dialect.</param>
internal sealed record SqlColumn(string Name, string Type);

/// <summary>A call of a statement: first its parameters in the order of their numbers, then one of <see cref="RunAsync"/>,
/// <see cref="FindAsync"/> and <see cref="ListAsync"/>. Not thread-safe.</summary>
internal abstract class SqlCall
{
    public abstract SqlCall Text(string? value);

    public abstract SqlCall Number(long? value);

    public abstract SqlCall Bytes(ReadOnlyMemory<byte> value);

    public abstract SqlCall Flag(bool value);

    /// <summary>Adds a time as a number of 100 ns ticks since year 1, UTC.</summary>
    public SqlCall Time(DateTimeOffset? value) => Number(value?.UtcTicks);

    /// <summary>Runs a statement that returns no rows.</summary>
    /// <returns>The number of rows changed by the last command of the statement.</returns>
    public abstract ValueTask<int> RunAsync(CancellationToken cancellationToken);

    /// <summary>Reads the first row, or returns the default value if there is none.</summary>
    public abstract ValueTask<T?> FindAsync<T>(Func<ISqlRow, T> read, CancellationToken cancellationToken);

    /// <summary>Reads all rows.</summary>
    public abstract ValueTask<IReadOnlyList<T>> ListAsync<T>(Func<ISqlRow, T> read, CancellationToken cancellationToken);
}

/// <summary>The current row of a call. Columns count from 0.</summary>
internal interface ISqlRow
{
    bool IsNull(int column);

    long Number(int column);

    string Text(int column);

    byte[] Bytes(int column);

    bool Flag(int column);

    string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    DateTimeOffset Time(int column) => new(Number(column), TimeSpan.Zero);

    DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);
}
