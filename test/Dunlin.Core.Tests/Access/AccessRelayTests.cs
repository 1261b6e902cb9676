using Dunlin.Access;
using Dunlin.Cluster;
using Dunlin.Core.Tests.Fanout;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Core.Tests.Access;

/// <summary>How access changes travel between their source, the journal and the node's listeners.</summary>
public sealed class AccessRelayTests : IDisposable
{
    private static readonly TopicName Own = TopicName.Parse("dunlin/access");
    private readonly TestNode _node = new();
    private readonly AccessChanges _changes = new();

    private IStore Store => _node.Store;

    [Fact]
    public async Task A_change_in_a_unit_of_work_is_received_once_in_order()
    {
        using var relay = await StartAsync(shared: new SharedStore());
        var heard = new RecordedChanges(_changes);
        await Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.SessionEndedAsync(new EndedSession("ann", "s1", "signed_out") { LastFrame = "x"u8.ToArray() }, ct);
                await unit.RightsChangedAsync("bob", ct);
            }
        );
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await Store.WriteAsync(
                async (unit, ct) =>
                {
                    await unit.RightsChangedAsync("eve", ct);
                    throw new InvalidOperationException();
                }
            )
        );
        await Store.WriteAsync((unit, ct) => unit.RightsChangedAsync("end", ct));
        Assert.Equal(["ann/s1/signed_out/1", "bob", "end"], await heard.UntilAsync("end"));
        await relay.StopAsync(default);
        // Received changes are not published again.
        Assert.Equal(3, (await EventsAsync()).Count);
    }

    [Fact]
    public async Task A_change_elsewhere_is_received_at_once_and_appended_in_shared_stores()
    {
        using (var alone = await StartAsync(shared: null))
        {
            _changes.RightsChanged("ann");
            await alone.StopAsync(default);
            Assert.Empty(await EventsAsync());
        }
        using var relay = await StartAsync(new SharedStore());
        var heard = new RecordedChanges(_changes);
        _changes.RightsChanged("ann");
        Assert.Equal(["ann"], heard.All);
        // Pending changes are sent when the node stops, and are not received again.
        await relay.StopAsync(default);
        Assert.Equal("rights.changed", Assert.Single(await EventsAsync()).Type);
        Assert.Equal(["ann"], heard.All);
    }

    [Fact]
    public async Task Pending_changes_are_sent_once_each_and_in_order()
    {
        var faults = new CommitFaults();
        using var relay = await StartAsync(new SharedStore(), new FaultyJournal(_node.Journal, faults));
        var gate = faults.HoldNext();
        _changes.RightsChanged("first");
        await gate.Reached;
        for (var i = 0; i < 1_000; i++)
        {
            _changes.RightsChanged("ann");
            _changes.SessionEnded("ann", "s1", "signed_out");
            _changes.SessionEnded("ann", "s2", "signed_out");
        }
        gate.Release();
        await relay.StopAsync(default);
        Assert.Equal(["rights.changed", "rights.changed", "session.ended", "session.ended"], (await EventsAsync()).Select(e => e.Type));
    }

    [Fact]
    public async Task A_change_that_could_not_be_appended_is_sent_again()
    {
        var faults = new CommitFaults();
        var others = new AccessChanges();
        using var other = await StartAsync(new SharedStore(), changes: others);
        var heard = new RecordedChanges(others);
        using var relay = await StartAsync(new SharedStore(), new FaultyJournal(_node.Journal, faults));
        faults.FailNext();
        _changes.RightsChanged("ann");
        var arrival = heard.UntilAsync("ann");
        while (!arrival.IsCompleted)
        {
            _node.Time.Advance(TimeSpan.FromSeconds(1)); // the sender pauses after the fault
            await Task.Yield();
        }
        Assert.Equal(["ann"], await arrival);
        await relay.StopAsync(default);
        await other.StopAsync(default);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Changes_above_the_limit_merge_into_one_that_covers_them(bool ofSessions)
    {
        var faults = new CommitFaults();
        using var relay = await StartAsync(new SharedStore(), new FaultyJournal(_node.Journal, faults));
        var others = new AccessChanges();
        using var other = await StartAsync(new SharedStore(), changes: others);
        var heard = new RecordedChanges(others);
        var gate = faults.HoldNext();
        _changes.RightsChanged("first");
        await gate.Reached;
        for (var i = 0; i <= AccessQueue.MaxWaiting; i++)
        {
            if (ofSessions)
                _changes.SessionEnded("ann", $"s{i}", "signed_out");
            else
                _changes.RightsChanged($"user{i}");
        }
        _changes.SessionEnded("bob", "late", "signed_out");
        gate.Release();
        // "first" is missing if it was still pending when "everything" arrived, which covers it.
        Assert.Equal("everything", (await heard.UntilAsync("everything"))[^1]);
        await relay.StopAsync(default);
        await other.StopAsync(default);
        // The other node does not publish it again.
        Assert.Equal(["rights.changed", "everything.changed"], (await EventsAsync()).Select(e => e.Type));
    }

    [Fact]
    public async Task A_full_queue_loses_no_change()
    {
        var random = TestSeed.NewRandom(out _);
        var queue = new AccessQueue();
        for (var round = 0; round < 20; round++)
        {
            var added = new HashSet<string>(StringComparer.Ordinal);
            for (var i = random.Next(2 * AccessQueue.MaxWaiting); i > 0; i--)
            {
                var user = $"u{random.Next(2 * AccessQueue.MaxWaiting)}";
                added.Add(user);
                queue.Add(AccessChange.OfRights(user));
                Assert.InRange(queue.Count, 1, AccessQueue.MaxWaiting);
            }
            var (taken, everything) = (new HashSet<string>(StringComparer.Ordinal), false);
            while (queue.Count > 0)
            {
                var change = (await queue.TakeAsync(default))!;
                everything |= change == AccessChange.Everything;
                Assert.True(taken.Add(change.UserId), "told twice");
            }
            Assert.True(everything || added.SetEquals(taken));
        }
        queue.Complete();
        queue.Add(AccessChange.OfRights("late"));
        Assert.Null(await queue.TakeAsync(default));
    }

    public void Dispose() => _node.Dispose();

    private async Task<AccessRelay> StartAsync(SharedStore? shared, IJournal? journal = null, AccessChanges? changes = null)
    {
        var relay = new AccessRelay(
            changes ?? _changes,
            journal ?? _node.Journal,
            _node.Fanout,
            _node.Time,
            NullLogger<AccessRelay>.Instance,
            shared
        );
        await relay.StartAsync(default);
        return relay;
    }

    private async Task<IReadOnlyList<DunlinEvent>> EventsAsync() =>
        (await _node.Journal.ReadAsync(new JournalQuery(0, [Own], 100), default)).Events;

    /// <summary>Records what a node's listeners received.</summary>
    private sealed class RecordedChanges
    {
        private readonly Lock _gate = new(); // guards all fields below
        private readonly List<string> _all = [];
        private readonly List<(string Last, TaskCompletionSource Reached)> _waiting = [];

        public RecordedChanges(AccessChanges changes)
        {
            changes.OnSessionEnded(ended => Add($"{ended.UserId}/{ended.SessionId}/{ended.Reason}/{ended.LastFrame.Length}"));
            changes.OnRightsChanged(Add);
            changes.OnEverythingChanged(() => Add("everything"));
        }

        public IReadOnlyList<string> All
        {
            get
            {
                lock (_gate)
                    return [.. _all];
            }
        }

        public async Task<IReadOnlyList<string>> UntilAsync(string last)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                if (_all.Contains(last))
                    reached.SetResult();
                _waiting.Add((last, reached));
            }
            await reached.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
            return All;
        }

        private void Add(string what)
        {
            lock (_gate)
            {
                _all.Add(what);
                foreach (var (last, reached) in _waiting)
                {
                    if (last == what)
                        reached.TrySetResult();
                }
            }
        }
    }
}
