using Dunlin.Journal;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Outbox;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Dunlin.Postgres.Tests.Outbox;

/// <summary>Whole nodes, each with a mover.</summary>
public sealed class OutboxMoverTests : IAsyncLifetime
{
    private string _database = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await Database.NewSchemaAsync();

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Readers_of_all_nodes_get_the_events_in_one_order()
    {
        await using var first = await NodeHost.StartAsync(_database);
        await using var second = await NodeHost.StartAsync(_database);
        for (var i = 0; i < 50; i++)
            await PublishAsync(first, i);
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), await first.NextAsync(50));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), await second.NextAsync(50));
    }

    [Fact]
    public async Task A_node_takes_over_when_the_mover_stops()
    {
        await using var second = await NodeHost.StartAsync(_database);
        await using (var first = await NodeHost.StartAsync(_database))
        {
            await PublishAsync(first, 0);
            Assert.Equal([1], await second.NextAsync(1));
        }
        await PublishAsync(second, 1);
        Assert.Equal([2], await second.NextAsync(1));
        await using var third = await NodeHost.StartAsync(_database);
        await PublishAsync(third, 2);
        Assert.Equal([3], await third.NextAsync(1));
    }

    [Fact]
    public async Task Rows_from_before_the_start_are_moved_at_the_start()
    {
        await using (var backend = await Backend.NewAsync())
        {
            _database = backend.ConnectionString;
            await backend.OpenAsync();
        }
        await Database.ExecuteAsync(
            _database,
            "INSERT INTO dunlin_outbox (topic, type, data) VALUES ('watched', 'test.happened', convert_to('1', 'UTF8'))"
        );
        await using var node = await NodeHost.StartAsync(_database);
        await NodeHost.WhenAsync(() => node.Store.Head.Offset == 1);
        Assert.Single(await Backend.ReadAllAsync(node.Store));
    }

    [Fact]
    public async Task A_node_behind_a_pooler_finds_rows_without_notifications()
    {
        await using var node = await NodeHost.StartAsync(_database, options => options.ThroughPooler = true);
        await PublishAsync(node, 0);
        Assert.Equal([1], await node.NextAsync(1));
    }

    [Fact]
    public async Task A_row_after_the_release_of_the_claim_is_claimed_again()
    {
        await using var backend = await Backend.NewAsync();
        var store = await backend.OpenAsync();
        using var outbox = new StoreOutbox(store, backend.Log.For<StoreOutbox>());
        var time = new ManualTime();
        var mover = new OutboxMover(store, outbox, time, backend.Log.For<OutboxMover>());
        await mover.StartAsync(Cancellation);
        await AddAsync();
        await UntilAsync(TimeSpan.FromMilliseconds(5), () => Task.FromResult(store.Head.Offset == 1));
        Assert.True(await IsClaimedAsync());
        await UntilAsync(TimeSpan.FromMilliseconds(100), async () => !await IsClaimedAsync());
        await AddAsync();
        await UntilAsync(TimeSpan.FromMilliseconds(5), () => Task.FromResult(store.Head.Offset == 2));
        Assert.True(await IsClaimedAsync());
        await mover.StopAsync(Cancellation);
        Assert.False(await IsClaimedAsync());

        async Task AddAsync()
        {
            await using var connection = new NpgsqlConnection(backend.ConnectionString);
            await connection.OpenAsync(Cancellation);
            await outbox.AddAsync(connection, null, [Backend.Draft("a")], Cancellation);
        }

        async Task UntilAsync(TimeSpan step, Func<Task<bool>> isReached)
        {
            while (!await isReached())
            {
                Cancellation.ThrowIfCancellationRequested();
                time.Advance(step);
                await Task.Yield();
            }
        }

        async Task<bool> IsClaimedAsync() =>
            await Database.ScalarAsync<long>(backend.ConnectionString, "SELECT last_value FROM dunlin_outbox_mover") > 0;
    }

    private async Task PublishAsync(NodeHost node, int value)
    {
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await node
            .Services.GetRequiredService<IOutbox>()
            .AddAsync(connection, transaction, [EventDraft.Of(TopicName.Parse("watched"), "test.happened", value)], Cancellation);
        await transaction.CommitAsync(Cancellation);
    }
}
