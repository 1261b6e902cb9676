using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Redis;
using Dunlin.Redis.Backplane;
using Dunlin.Relational.Accounts;
using Dunlin.Scheduling;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.Postgres.Tests.WithRedis;

/// <summary>
/// Two nodes on one PostgreSQL with Redis, for the conformance suites. Requests alternate between them. At the end of a suite the readers
/// of both have received everything.
/// </summary>
internal sealed class TwoNodes : IAsyncDisposable
{
    private readonly Node[] _nodes;

    private TwoNodes(Node[] nodes) => _nodes = nodes;

    public static async ValueTask<StoreUnderTest> ForSuiteAsync(ManualTime time, RetentionOptions retention)
    {
        var (connection, channel, clock, all) = (
            await Database.NewSchemaAsync(),
            SharedRedis.NewChannel(),
            new StoreClock(time),
            new CommitFeed()
        );
        var announcing = new Lock();
        var nodes = new TwoNodes([
            await Node.StartAsync(connection, channel, clock, retention),
            await Node.StartAsync(connection, channel, clock, retention),
        ]);
        foreach (var node in nodes._nodes)
        {
            node.Feed.Committed.Subscribe(events =>
            {
                lock (announcing)
                    all.Publish(events);
            });
        }
        var stores = nodes._nodes.Select(node => node.Store).ToList();
        var turning = new TurningStore(stores, stores);
        return new StoreUnderTest(
            turning,
            turning,
            all,
            clock,
            new AccountStore(stores[0]),
            new SessionStore(stores[1]),
            nodes.DisposeAsync
        );
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            var head = await _nodes[0].Store.ReadHeadAsync(CancellationToken.None);
            await NodeHost.WhenAsync(() => Array.TrueForAll(_nodes, node => node.Fanout.DeliveredHead.Offset >= head.Offset));
        }
        finally
        {
            foreach (var node in _nodes)
                await node.DisposeAsync();
        }
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly TimerWheel _wheel = new(TimeProvider.System);
        private readonly RedisBackplane _backplane;

        private Node(PostgresStore store, CommitFeed feed, string channel)
        {
            (Store, Feed) = (store, feed);
            _backplane = new RedisBackplane(
                Options.Create(new RedisOptions { Configuration = SharedRedis.Endpoint, Channel = channel }),
                new ServiceCollection().AddSingleton<IJournal>(store).BuildServiceProvider(),
                NullLogger<RedisBackplane>.Instance,
                new PostgresBackplane(store, NullLogger<PostgresBackplane>.Instance)
            );
            Fanout = new EventFanout(
                store,
                feed,
                _backplane,
                _wheel,
                TimeProvider.System,
                Options.Create(new FanoutOptions()),
                new FanoutInstruments(new TestMeters()),
                NullLogger<EventFanout>.Instance
            );
        }

        public PostgresStore Store { get; }

        public CommitFeed Feed { get; }

        public EventFanout Fanout { get; }

        public static async Task<Node> StartAsync(string connection, string channel, StoreClock clock, RetentionOptions retention)
        {
            var feed = new CommitFeed();
            var store = new PostgresStore(
                Options.Create(new PostgresOptions { ConnectionString = connection }),
                Options.Create(retention),
                [],
                feed,
                clock,
                new TestLog().For<PostgresStore>()
            );
            await store.OpenAsync(TestContext.Current.CancellationToken);
            var node = new Node(store, feed, channel);
            node.Fanout.Begin();
            await node._backplane.ConnectAsync();
            return node;
        }

        public async ValueTask DisposeAsync()
        {
            _backplane.Dispose();
            await Store.DisposeAsync();
            _wheel.Dispose();
        }
    }
}
