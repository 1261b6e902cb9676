using System.Data.Common;
using System.Diagnostics.Metrics;
using Dunlin.Journal;
using Dunlin.Relational;
using Dunlin.Relational.Outbox;
using Dunlin.Sqlite.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Sqlite.Tests.Outbox;

public sealed class SqliteOutboxTests : OutboxConformance
{
    private StoreOutbox? _outbox;

    protected override IOutbox Outbox => _outbox ??= new StoreOutbox((RelationalStore)Store, new TestLog().For<StoreOutbox>());

    protected override string ReadOnly => "PRAGMA query_only = true";

    protected override ValueTask<StoreUnderTest> CreateAsync(ManualTime time, RetentionOptions retention) =>
        Backend.ForSuiteAsync(time, retention);

    protected override async ValueTask<DbConnection> ConnectAsync()
    {
        var path = await Store.ReadAsync((scope, _) => new ValueTask<string>(scope.Connection.DataSource), Cancellation);
        var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    protected override void OnDisposing() => _outbox?.Dispose();
}

/// <summary>The outbox of a whole process, and of copies of the file.</summary>
public sealed class SqliteOutboxFileTests : IAsyncLifetime
{
    private readonly Backend _backend = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task A_host_moves_events_that_another_program_committed()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddDunlinCore().AddSqlite(_backend.Path);
        using var host = builder.Build();
        await host.StartAsync(Backend.Cancellation);
        var received = new TaskCompletionSource<IReadOnlyList<DunlinEvent>>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var _ = host.Services.GetRequiredService<CommitFeed>().Committed.Subscribe(received.SetResult);
        await InsertAsync(_backend.Path);
        var entry = Assert.Single(await received.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Backend.Cancellation));
        Assert.Equal("from/elsewhere", entry.Topic.Value);
        await host.StopAsync(Backend.Cancellation);
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    [Fact]
    public async Task A_backup_holds_the_rows_that_wait()
    {
        await (await _backend.OpenAsync()).DisposeAsync();
        await InsertAsync(_backend.Path);
        await using var copy = new Backend();
        await SqliteBackup.CreateAsync(_backend.Path, copy.Path, Backend.Cancellation);
        var store = await copy.OpenAsync();
        using var outbox = new StoreOutbox(store, new TestLog().For<StoreOutbox>());
        Assert.Equal(1, (await outbox.FlushAsync(Backend.Cancellation)).Offset);
    }

    [Fact]
    public async Task A_move_to_another_store_takes_the_waiting_rows_along()
    {
        var from = await _backend.OpenAsync();
        using var outbox = new StoreOutbox(from, new TestLog().For<StoreOutbox>());
        await using (var connection = new SqliteConnection($"Data Source={_backend.Path};Pooling=False"))
        {
            await connection.OpenAsync(Backend.Cancellation);
            for (var i = 0; i < 3; i++)
                await outbox.AddAsync(connection, null, [Backend.Draft("a", i)], Backend.Cancellation);
        }
        await using var target = new Backend();
        var to = await target.OpenAsync();
        await StoreMove.RunAsync(from, to, cancellationToken: Backend.Cancellation);
        await to.DisposeAsync();
        var moved = await target.OpenAsync();
        using var other = new StoreOutbox(moved, new TestLog().For<StoreOutbox>());
        Assert.Equal(3, (await other.FlushAsync(Backend.Cancellation)).Offset);
        var page = await moved.ReadAsync(new JournalQuery(0, null), Backend.Cancellation);
        Assert.Equal(["0", "1", "2"], page.Events.Select(e => System.Text.Encoding.UTF8.GetString(e.Data.Span)));
    }

    [Fact]
    public async Task Metrics_and_log_tell_of_waiting_moved_and_refused_rows()
    {
        var store = await _backend.OpenAsync();
        using var meters = new TestMeters();
        var log = new TestLog();
        using var outbox = new StoreOutbox(store, log.For<StoreOutbox>(), meters);
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name.StartsWith("dunlin.outbox.", StringComparison.Ordinal))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
        await InsertAsync(_backend.Path);
        await InsertAsync(_backend.Path, "no//topic\n");
        await ExecuteAsync(_backend.Path, "UPDATE dunlin_outbox SET time = time - 60000 WHERE id = 1");
        await outbox.LookAsync(-1, Backend.Cancellation);
        listener.RecordObservableInstruments();
        Assert.Equal(2, values["dunlin.outbox.waiting"]);
        Assert.InRange(values["dunlin.outbox.age"], 60, 3_600);

        await outbox.FlushAsync(Backend.Cancellation);
        await outbox.LookAsync(-1, Backend.Cancellation);
        listener.RecordObservableInstruments();
        Assert.Equal((0, 0), (values["dunlin.outbox.waiting"], values["dunlin.outbox.age"]));
        Assert.Equal((1, 1), (values["dunlin.outbox.moved"], values["dunlin.outbox.refused"]));
        Assert.Contains(
            "Row 2 of the outbox was refused",
            Assert.Single(log.Entries.Select(entry => entry.Text)),
            StringComparison.Ordinal
        );
    }

    private static Task InsertAsync(string path, string topic = "from/elsewhere") =>
        ExecuteAsync(
            path,
            $"INSERT INTO dunlin_outbox (topic, type, data) VALUES ('{topic}', 'test.happened', CAST('{{\"n\":1}}' AS BLOB))"
        );

    private static async Task ExecuteAsync(string path, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        await connection.OpenAsync(Backend.Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Backend.Cancellation);
    }
}
