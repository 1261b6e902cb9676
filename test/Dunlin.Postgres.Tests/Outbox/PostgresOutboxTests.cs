using System.Data.Common;
using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Outbox;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Npgsql;

namespace Dunlin.Postgres.Tests.Outbox;

public sealed class PostgresOutboxTests : OutboxConformance
{
    private StoreOutbox? _outbox;

    protected override IOutbox Outbox => _outbox ??= new StoreOutbox((PostgresStore)Store, new TestLog().For<StoreOutbox>());

    protected override string ReadOnly => "SET default_transaction_read_only = on";

    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);

    protected override async ValueTask<DbConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(((PostgresStore)Store).Options.ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    protected override void OnDisposing() => _outbox?.Dispose();
}
