using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Journal;

public sealed class CommitFaultsTests
{
    private static readonly EventDraft Draft = EventDraft.Of(TopicName.Parse("a"), "t", 1);

    [Fact]
    public async Task A_failed_commit_stores_nothing_and_a_lost_reply_everything()
    {
        var backend = await InMemoryBackend.CreateAsync(new ManualTime(), new RetentionOptions());
        var faults = new CommitFaults();
        var (journal, store) = (new FaultyJournal(backend.Journal, faults), new FaultyStore(backend.Store, faults));
        faults.FailNext();
        await Assert.ThrowsAsync<DunlinException>(async () =>
            await store.WriteAsync(async (unit, ct) => await unit.AppendAsync(Draft, ct))
        );
        faults.FailNext();
        await Assert.ThrowsAsync<DunlinException>(async () => await journal.AppendAsync(Draft));
        Assert.Equal(0, journal.Head.Offset);
        faults.LoseNextReply();
        await Assert.ThrowsAsync<DunlinException>(async () =>
            await store.WriteAsync(async (unit, ct) => await unit.AppendAsync(Draft, ct))
        );
        faults.LoseNextReply();
        await Assert.ThrowsAsync<DunlinException>(async () => await journal.AppendAsync(Draft));
        Assert.Equal(2, journal.Head.Offset);
        Assert.Equal(3, (await journal.AppendAsync(Draft)).Offset);
    }

    [Fact]
    public async Task A_held_commit_is_invisible_until_it_is_released()
    {
        var backend = await InMemoryBackend.CreateAsync(new ManualTime(), new RetentionOptions());
        var faults = new CommitFaults();
        var gate = faults.HoldNext();
        var write = new FaultyStore(backend.Store, faults).WriteAsync(async (unit, ct) => await unit.AppendAsync(Draft, ct)).AsTask();
        await gate.Reached;
        Assert.Equal(0, backend.Journal.Head.Offset);
        gate.Release();
        Assert.Equal(1, (await write).Offset);
    }
}
