using Dunlin.Consumers;
using Dunlin.Diagnostics;
using Dunlin.InMemory;
using Dunlin.Journal;
using Dunlin.Outbound;
using Dunlin.Scheduling;
using Dunlin.TestKit;
using Dunlin.TestKit.Conformance;
using Dunlin.Topics;
using Dunlin.Webhooks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Webhooks;

/// <summary>A node that is killed at any access to the store, and another node that continues its webhooks.</summary>
public sealed class WebhookKillTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_kill_between_any_two_steps_loses_no_message(bool isCommitted)
    {
        for (var call = 1; call <= 24; call++)
        {
            await using var receiver = await WebhookReceiver.StartAsync();
            var (feed, clock) = (new CommitFeed(), new StoreClock(new ManualTime()));
            using var store = new InMemoryStore(feed, clock, Options.Create(new RetentionOptions()));
            await using var setup = await Node.StartAsync(store, store, feed, clock, isRunning: false);
            await setup.Endpoints.CreateAsync(new WebhookBody(receiver.Url, ["orders/**"], Id: "w"), "ann");
            for (var i = 1; i <= 4; i++)
                await store.AppendAsync(EventDraft.Of(TopicName.Parse($"orders/{i % 2}"), "e", i), TestContext.Current.CancellationToken);
            var killed = new KilledStore(store, call, isCommitted);
            await using var first = await Node.StartAsync(killed, store, feed, clock);
            await WebhookHost.UntilAsync(() => killed.IsKilled || receiver.Accepted.Count == 4);
            await using var second = await Node.StartAsync(store, store, feed, clock);
            await WebhookHost.UntilAsync(async () => await IsDoneAsync(second));
            foreach (var topic in receiver.Accepted.GroupBy(static message => message.Topic))
            {
                var numbers = topic.Select(static message => message.Number).Distinct().ToList();
                Assert.True(numbers.SequenceEqual(numbers.Order()) && numbers.Count == 2, $"call {call}: {string.Join(',', numbers)}");
            }
            Assert.Equal(4, receiver.Accepted.Select(static message => message.Id).Distinct().Count());
        }
    }

    [Fact]
    public async Task An_endpoint_created_while_a_node_removes_it_keeps_its_cursor()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var time = new ManualTime();
        var (feed, clock) = (new CommitFeed(), new StoreClock(time));
        using var store = new InMemoryStore(feed, clock, Options.Create(new RetentionOptions()));
        await using var other = await Node.StartAsync(store, store, feed, clock, isRunning: false);
        var body = new WebhookBody(receiver.Url, ["orders/**"], Id: "w");
        var first = await other.Endpoints.CreateAsync(body, "ann");
        await AppendAsync(store, 1);
        var hooked = new HookedStore(store);
        await using var node = await Node.StartAsync(hooked, store, feed, clock);
        await WebhookHost.UntilAsync(async () => receiver.Accepted.Count == 1 && await IsDoneAsync(other));
        await other.Endpoints.RemoveAsync("w");
        // The next write of the node follows its read of the endpoints, which found none.
        hooked.BeforeWrite = async () =>
        {
            var second = await other.Endpoints.CreateAsync(body, "ann");
            Assert.NotEqual(first.Version, second.Version);
            await AppendAsync(store, 2);
        };
        await WebhookHost.UntilAsync(() =>
        {
            time.Advance(new WebhookOptions().PollInterval);
            return receiver.Accepted.Count == 2;
        });
        Assert.Equal([1, 2], receiver.Accepted.Select(static message => message.Number));
    }

    private static async Task AppendAsync(InMemoryStore store, int number) =>
        await store.AppendAsync(EventDraft.Of(TopicName.Parse("orders/1"), "e", number), TestContext.Current.CancellationToken);

    private static async Task<bool> IsDoneAsync(Node node)
    {
        var view = Assert.Single(await node.Endpoints.ListAsync(TestContext.Current.CancellationToken));
        return (view.Waiting, view.Dead, view.Lag) == (0, 0, 0);
    }

    /// <summary>Runs an action once, before the next write.</summary>
    private sealed class HookedStore(IStore inner) : IStore
    {
        private Func<Task>? _beforeWrite;

        public Func<Task> BeforeWrite
        {
            set => Volatile.Write(ref _beforeWrite, value);
        }

        public async ValueTask<T> WriteAsync<T>(
            Func<IUnitOfWork, CancellationToken, ValueTask<T>> work,
            CancellationToken cancellationToken = default
        )
        {
            if (Interlocked.Exchange(ref _beforeWrite, null) is { } hook)
                await hook();
            return await inner.WriteAsync(work, cancellationToken);
        }

        public ValueTask<T> ReadAsync<T>(
            Func<IReadScope, CancellationToken, ValueTask<T>> read,
            CancellationToken cancellationToken = default
        ) => inner.ReadAsync(read, cancellationToken);
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly EventConsumerWorker _consumers;
        private readonly WebhookWorker _worker;
        private readonly WebhookOutbound _outbound;

        private Node(IStore store, IJournal journal, CommitFeed feed, StoreClock clock)
        {
            var options = new WebhookOptions { Networks = { "127.0.0.0/8" } };
            _outbound = new WebhookOutbound(options, clock, null);
            var logger = NullLogger.Instance;
            var consumers = new ConsumerNode(store, journal, clock, new ConsumerInstruments(new TestMeters()), logger) { IsAlone = true };
            _consumers = new EventConsumerWorker(consumers, feed, []);
            var groups = new EventConsumers(store, journal, _consumers);
            var node = new WebhookNode(store, clock, _outbound.Sender, new WebhookInstruments(new TestMeters()), options, logger);
            Endpoints = new WebhookStore(node, new WebhookRules(_outbound.Rules), groups);
            _worker = new WebhookWorker(node, _consumers, new BackgroundLoops());
        }

        public WebhookStore Endpoints { get; }

        public static async Task<Node> StartAsync(IStore store, IJournal journal, CommitFeed feed, StoreClock clock, bool isRunning = true)
        {
            var node = new Node(store, journal, feed, clock);
            if (isRunning)
            {
                await node._consumers.StartAsync(CancellationToken.None);
                await node._worker.StartAsync(CancellationToken.None);
            }
            return node;
        }

        public async ValueTask DisposeAsync()
        {
            await _worker.StopAsync(CancellationToken.None);
            await _consumers.StopAsync(CancellationToken.None);
            _consumers.Dispose();
            _outbound.Dispose();
        }
    }
}
