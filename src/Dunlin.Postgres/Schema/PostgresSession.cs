using System.Data;
using System.Data.Common;
using Dunlin.Relational.Schema;
using Dunlin.Relational.Sql;
using Npgsql;
using NpgsqlTypes;

namespace Dunlin.Postgres.Schema;

/// <summary>Runs the statements that every store has on one connection. Each call is one round trip. Not thread-safe.</summary>
/// <param name="connection">The open connection.</param>
/// <param name="takePending">Returns a batch of statements that must run before the next one, and forgets them. Returns null if there are
/// none. Null means that there never are any. A call with pending statements is not cancelled while it runs: it would be unknown whether
/// they have run.</param>
internal sealed class PostgresSession(NpgsqlConnection connection, Func<NpgsqlBatch?>? takePending = null) : ISchemaSession
{
    public static readonly SqlDialect Dialect = new("postgres", isShared: true, typeof(PostgresSession).Assembly);

    private static readonly SqlText MigrationLock = new("migration_lock");

    private NpgsqlTransaction? _transaction;

    /// <inheritdoc/>
    /// <remarks>The next statement is the application's, so pending statements run now. A getter cannot await them.</remarks>
    public DbConnection Connection
    {
        get
        {
            using var pending = takePending?.Invoke();
            pending?.ExecuteNonQuery();
            return connection;
        }
    }

    public bool InTransaction => _transaction is { } transaction && !PostgresTransactions.HasEnded(transaction);

    public SqlCall Call(string name) => new PostgresCall(this, name, Dialect[name]);

    public bool IsDuplicate(DbException exception) => exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    public async ValueTask BeginAsync(CancellationToken cancellationToken)
    {
        _transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        await using var command = connection.Command(MigrationLock);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async ValueTask CommitAsync(CancellationToken cancellationToken) => await _transaction!.CommitAsync(cancellationToken);

    public async ValueTask RollbackAsync()
    {
        if (_transaction is { } transaction)
            await transaction.DisposeAsync();
        _transaction = null;
    }

    public async ValueTask ExecuteAsync(string script, CancellationToken cancellationToken)
    {
        // A command without parameters may contain several statements.
        await using var command = new NpgsqlCommand(script, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async ValueTask<long> InsertAsync(
        string table,
        IReadOnlyList<SqlColumn> columns,
        DbDataReader rows,
        Action<long> inserted,
        CancellationToken cancellationToken
    )
    {
        var names = string.Join(", ", columns.Select(column => $"\"{column.Name}\""));
        await using var copy = await connection.BeginBinaryImportAsync(
            $"COPY \"{table}\" ({names}) FROM STDIN (FORMAT BINARY)",
            cancellationToken
        );
        long count = 0;
        while (await rows.ReadAsync(cancellationToken))
        {
            await copy.StartRowAsync(cancellationToken);
            for (var i = 0; i < columns.Count; i++)
                await InsertAsync(copy, rows, i, columns[i].Type, cancellationToken);
            inserted(++count);
        }
        await copy.CompleteAsync(cancellationToken);
        return count;
    }

    private static Task InsertAsync(
        NpgsqlBinaryImporter copy,
        DbDataReader row,
        int column,
        string type,
        CancellationToken cancellationToken
    ) =>
        row.IsDBNull(column)
            ? copy.WriteNullAsync(cancellationToken)
            : type switch
            {
                "bytea" => copy.WriteAsync((byte[])row.GetValue(column), NpgsqlDbType.Bytea, cancellationToken),
                "int8" => copy.WriteAsync(row.GetInt64(column), NpgsqlDbType.Bigint, cancellationToken),
                "int4" => copy.WriteAsync(row.GetInt32(column), NpgsqlDbType.Integer, cancellationToken),
                "bool" => copy.WriteAsync(row.GetBoolean(column), NpgsqlDbType.Boolean, cancellationToken),
                _ => copy.WriteAsync(row.GetString(column), NpgsqlDbType.Text, cancellationToken),
            };

    private NpgsqlBatch? TakePending() => takePending?.Invoke();

    private NpgsqlBatch NewBatch() => new(connection);

    private sealed class PostgresCall(PostgresSession session, string name, string text) : SqlCall, ISqlRow
    {
        private readonly NpgsqlBatchCommand _command = new(text);
        private readonly bool _isByIndex = IndexPlans.Statements.Contains(name);
        private NpgsqlDataReader? _reader;

        public override SqlCall Text(string? value) => Add(Statements.Text(value));

        public override SqlCall Number(long? value) => Add(Statements.Number(value));

        public override SqlCall Bytes(ReadOnlyMemory<byte> value) => Add(Statements.Bytes(value));

        public override SqlCall Flag(bool value) => Add(Statements.Flag(value));

        public override async ValueTask<int> RunAsync(CancellationToken cancellationToken)
        {
            var (batch, token) = Begin(cancellationToken);
            await using var _ = batch;
            return await batch.ExecuteNonQueryAsync(token);
        }

        public override async ValueTask<T?> FindAsync<T>(Func<ISqlRow, T> read, CancellationToken cancellationToken)
            where T : default
        {
            var (batch, token) = Begin(cancellationToken);
            await using var _ = batch;
            await using (_reader = await OpenAsync(batch, token))
                return await _reader.ReadAsync(cancellationToken) ? read(this) : default(T?);
        }

        public override async ValueTask<IReadOnlyList<T>> ListAsync<T>(Func<ISqlRow, T> read, CancellationToken cancellationToken)
        {
            var rows = new List<T>();
            var (batch, token) = Begin(cancellationToken);
            await using var _ = batch;
            await using (_reader = await OpenAsync(batch, token))
            {
                while (await _reader.ReadAsync(cancellationToken))
                    rows.Add(read(this));
            }
            return rows;
        }

        public bool IsNull(int column) => _reader!.IsDBNull(column);

        public long Number(int column) => _reader!.GetInt64(column);

        public string Text(int column) => _reader!.GetString(column);

        public byte[] Bytes(int column) => _reader!.GetFieldValue<byte[]>(column);

        public bool Flag(int column) => _reader!.GetBoolean(column);

        private async ValueTask<NpgsqlDataReader> OpenAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
        {
            var reader = await batch.ExecuteReaderAsync(cancellationToken);
            if (_isByIndex)
                await reader.NextResultAsync(cancellationToken);
            return reader;
        }

        private PostgresCall Add(NpgsqlParameter parameter)
        {
            _command.Parameters.Add(parameter);
            return this;
        }

        private (NpgsqlBatch Batch, CancellationToken Token) Begin(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var pending = session.TakePending();
            var batch = pending ?? session.NewBatch();
            if (_isByIndex)
                batch.Add(IndexPlans.Begin);
            batch.BatchCommands.Add(_command);
            if (_isByIndex)
                batch.Add(IndexPlans.End);
            return (batch, pending is null ? cancellationToken : CancellationToken.None);
        }
    }
}
