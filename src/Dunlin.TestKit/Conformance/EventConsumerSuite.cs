using System.Collections.Concurrent;
using Dunlin.Consumers;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.TestKit.Conformance;

/// <summary>Provides the suite of event consumers with nodes on one store.</summary>
public abstract class EventConsumerSuite : ConformanceSuite
{
    /// <summary>The topic of the effects of consumers.</summary>
    protected static readonly TopicName Effects = TopicName.Parse("effects");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Gets the options of the groups. A claim lasts longer than a test can advance time, so a slow machine loses none. Tests of
    /// lost
    /// claims use <see cref="ShortClaim"/>.</summary>
    protected EventConsumerOptions Options { get; } = new() { ClaimDuration = TimeSpan.FromHours(1), Patterns = { "orders/**" } };

    /// <summary>The duration of claims that end during a test.</summary>
    protected static readonly TimeSpan ShortClaim = TimeSpan.FromSeconds(3);

    /// <summary>Starts a node with one consumer.</summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="store">The store as the node sees it. Null for the store of the test.</param>
    /// <param name="group">The group.</param>
    private protected async Task<ConsumerNodeUnderTest> StartAsync(IEventConsumer consumer, IStore? store = null, string group = "test")
    {
        var node = new ConsumerNode(
            store ?? Store,
            Journal,
            Subject.Clock,
            new ConsumerInstruments(new TestMeters()),
            NullLogger<EventConsumerWorker>.Instance
        );
        var worker = new EventConsumerWorker(node, Subject.Feed, [new ConsumerRegistration(new ConsumerGroup(group, Options), consumer)]);
        await worker.StartAsync(Cancellation);
        return new ConsumerNodeUnderTest(worker);
    }

    /// <summary>Returns the access to all groups.</summary>
    private protected EventConsumers Groups => new(Store, Journal, null);

    /// <summary>Advances time in small steps until a condition holds.</summary>
    /// <param name="condition">The condition.</param>
    protected async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await condition())
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            // Lets the nodes run between two steps. The condition decides when it is enough.
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, limit.Token);
        }
    }

    /// <summary>Advances time in small steps until a condition holds.</summary>
    /// <param name="condition">The condition.</param>
    protected Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    /// <summary>Waits until a node holds a group, so that a group that starts at the head has its cursor.</summary>
    /// <param name="group">The group.</param>
    protected Task UntilHeldAsync(string group = "test") =>
        UntilAsync(async () => await Groups.FindAsync(group, Cancellation) is { IsHeld: true });

    /// <summary>Waits until the cursor of a group is at or after an offset.</summary>
    /// <param name="offset">The offset.</param>
    /// <param name="group">The group.</param>
    protected async Task UntilThroughAsync(long offset, string group = "test")
    {
        await UntilAsync(async () => await Groups.FindAsync(group, Cancellation) is { } info && info.Position.Offset >= offset);
        // The row is visible with its commit, and the events of that commit once the store has announced it: before the next write ends.
        await Store.WriteAsync(static (_, _) => ValueTask.CompletedTask, Cancellation);
    }

    /// <summary>Returns a number of the data of an event.</summary>
    /// <param name="entry">The event.</param>
    protected static int NumberOf(DunlinEvent entry) => System.Text.Json.JsonSerializer.Deserialize<int>(entry.Data.Span);

    /// <summary>Represents a running node, which disposal stops.</summary>
    private protected sealed class ConsumerNodeUnderTest(EventConsumerWorker worker) : IAsyncDisposable
    {
        public Task StopAsync() => worker.StopAsync(CancellationToken.None).WaitAsync(Patience);

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            worker.Dispose();
        }
    }

    /// <summary>Records the numbers and gaps that a consumer gets, and runs code before.</summary>
    private protected sealed class Recorder(Func<EventBatch, CancellationToken, Task>? run = null) : IEventConsumer
    {
        public ConcurrentQueue<int> Numbers { get; } = new();

        public ConcurrentQueue<EventGap> Gaps { get; } = new();

        public ConcurrentQueue<int> Failures { get; } = new();

        public Func<EventGap, Task>? OnGap { get; init; }

        public async ValueTask ConsumeAsync(EventBatch batch, CancellationToken cancellationToken)
        {
            Failures.Enqueue(batch.Failures);
            if (run is not null)
                await run(batch, cancellationToken);
            foreach (var entry in batch.Events)
                Numbers.Enqueue(NumberOf(entry));
        }

        public async ValueTask OnGapAsync(EventGap gap, CancellationToken cancellationToken)
        {
            Gaps.Enqueue(gap);
            if (OnGap is not null)
                await OnGap(gap);
        }
    }
}
