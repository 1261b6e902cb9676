using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Fanout;

/// <summary>
/// Measures the bytes that one more reader costs: a restricted event with several topics, readers with selectors and a check. Allocations
/// do not depend on the load of the machine.
/// </summary>
[Collection(nameof(AloneInProcess))]
public sealed class DeliveryAllocationTests
{
    private const int Events = 100;
    private const int Readers = 500;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_check_of_a_restricted_event_allocates_nothing_for_each_reader(bool mayRead)
    {
        using var few = new TestNode(o => o.Shards = 1);
        using var many = new TestNode(o => o.Shards = 1);
        await ConnectAsync(few, 1, mayRead);
        var counters = await ConnectAsync(many, 1 + Readers, mayRead);
        // Compiles everything and fills the pools.
        await PublishAsync(few);
        await PublishAsync(many);
        var best = double.MaxValue;
        for (var round = 0; round < 5 && best > 1; round++)
        {
            var one = await PublishAsync(few);
            var all = await PublishAsync(many);
            best = Math.Min(best, Math.Abs((double)(all - one)) / (Events * Readers));
        }
        Assert.InRange(best, 0, 1);
        var rounds = counters[0].Writes / Events;
        Assert.All(counters, counter => Assert.Equal(mayRead ? rounds * Events : 0, counter.Writes));
        Assert.Equal(mayRead, rounds > 1);
    }

    [Fact]
    public async Task Catch_up_pages_of_text_topics_allocate_nothing_for_each_selector_test()
    {
        using var node = new TestNode(o => o.Shards = 1);
        var entry = new DunlinEvent(node.Journal.Head with { Offset = 1 }, new EventDraft(Name("a/1"), "t", "1"u8.ToArray()), default);
        var connection = node.Open(new TestSink(), "p", r => r with { Selectors = [new BeginsWith("b/"), new BeginsWith("a/")] });
        Assert.True(connection.Wants(entry));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            connection.Wants(entry);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        await node.Fanout.SettledAsync();
    }

    private static async Task<IReadOnlyList<Counter>> ConnectAsync(TestNode node, int readers, bool mayRead)
    {
        var counters = new List<Counter>();
        for (var i = 0; i < readers; i++)
        {
            var counter = new Counter();
            counters.Add(counter);
            var request = new ConnectionRequest(TestNode.User(), [Name("a/1")], counter)
            {
                Selectors = [new BeginsWith("a/"), new BeginsWith("b/")],
                MayRead = mayRead ? static entry => entry.ForeignId is not null : static _ => false,
                Heartbeat = TimeSpan.Zero,
            };
            await node.Fanout.StartAsync(node.Fanout.Open(request), default, node.Journal.Head);
        }
        await node.Fanout.SettledAsync();
        return counters;
    }

    private static async Task<long> PublishAsync(TestNode node)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < Events; i++)
        {
            node.Fanout.PublishTransient(
                new EventDraft(Name("a/1"), "t", "1"u8.ToArray())
                {
                    AlsoOn = [Name("b/2"), Name("c")],
                    IsRestricted = true,
                    ForeignId = "urn:x",
                }
            );
            await node.Fanout.SettledAsync();
        }
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    private static TopicName Name(string text) => TopicName.ForText(text);

    private sealed class Counter : IFrameSink
    {
        public int Writes { get; private set; }

        public void Write(ReadOnlyMemory<byte> bytes) => Writes += bytes.Length > 0 ? 1 : 0;

        public ValueTask<bool> FlushAsync() => new(true);

        public void Abort() { }
    }
}

/// <summary>Tests that measure the whole process.</summary>
[CollectionDefinition(nameof(AloneInProcess), DisableParallelization = true)]
public sealed class AloneInProcess;
