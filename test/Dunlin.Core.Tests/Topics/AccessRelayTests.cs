using Dunlin.Core.Tests.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Core.Tests.Topics;

/// <summary>How changes of access travel between what is told, the journal, and the node's listeners.</summary>
public sealed class AccessRelayTests : IDisposable
{
    private static readonly TopicName Own = TopicName.Parse("dunlin/access");
    private readonly TestNode _node = new();
    private readonly AccessChanges _changes = new();

    private IStore Store => _node.Store;

    [Fact]
    public async Task What_is_announced_in_a_unit_of_work_is_heard_once_with_its_last_frame_and_in_order()
    {
        using var relay = await StartAsync(shared: new SharedStore());
        var heard = new Heard(_changes);
        await Store.WriteAsync(async (unit, ct) =>
        {
            await unit.SessionEndedAsync(new EndedSession("ann", "s1", "signed_out") { LastFrame = "x"u8.ToArray() }, ct);
            await unit.RightsChangedAsync("bob", ct);
        });
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Store.WriteAsync(async (unit, ct) =>
        {
            await unit.RightsChangedAsync("eve", ct);
            throw new InvalidOperationException();
        }));
        await Store.WriteAsync((unit, ct) => unit.RightsChangedAsync("end", ct));
        Assert.Equal(["ann/s1/signed_out/1", "bob", "end"], await heard.UntilAsync("end"));
        await relay.StopAsync(default);
        // Nothing of it is told on.
        Assert.Equal(3, (await EventsAsync()).Count);
    }

    [Fact]
    public async Task What_is_told_elsewhere_is_heard_at_once_and_appended_for_the_others_of_a_shared_store_alone()
    {
        using (var alone = await StartAsync(shared: null))
        {
            _changes.RightsChanged("ann");
            await alone.StopAsync(default);
            Assert.Empty(await EventsAsync());
        }
        using var relay = await StartAsync(new SharedStore());
        var heard = new Heard(_changes);
        _changes.RightsChanged("ann");
        Assert.Equal(["ann"], heard.All);
        // What waits when the node stops is still sent, and not heard a second time.
        await relay.StopAsync(default);
        Assert.Equal("rights.changed", Assert.Single(await EventsAsync()).Type);
        Assert.Equal(["ann"], heard.All);
    }

    public void Dispose() => _node.Dispose();

    private async Task<AccessRelay> StartAsync(SharedStore? shared)
    {
        var relay = new AccessRelay(_changes, _node.Journal, _node.Fanout, _node.Time, NullLogger<AccessRelay>.Instance, shared);
        await relay.StartAsync(default);
        return relay;
    }

    private async Task<IReadOnlyList<Event>> EventsAsync() =>
        (await _node.Journal.ReadAsync(new JournalQuery(0, [Own], 100), default)).Events;

    /// <summary>What the listeners of a node were told.</summary>
    private sealed class Heard
    {
        private readonly Lock _gate = new();   // guards all below
        private readonly List<string> _all = [];
        private readonly List<(string Last, TaskCompletionSource Reached)> _waiting = [];

        public Heard(AccessChanges changes)
        {
            changes.OnSessionEnded(ended => Add($"{ended.UserId}/{ended.SessionId}/{ended.Reason}/{ended.LastFrame.Length}"));
            changes.OnRightsChanged(Add);
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
