using Dunlin.Consumers;
using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.TestKit.Conformance;

public abstract partial class EventConsumerConformance
{
    /// <summary>Checks that two nodes share the events of a group, and that a stop hands the group over at once.</summary>
    [Fact]
    public async Task A_stopped_node_hands_its_group_to_another_node()
    {
        var (first, second) = (new Recorder(), new Recorder());
        var node = await StartAsync(first);
        await UntilHeldAsync();
        await using var other = await StartAsync(second);
        await AppendAsync("orders/1", 1);
        await UntilAsync(() => first.Numbers.Count + second.Numbers.Count == 1);
        await node.StopAsync();
        await AppendAsync("orders/1", 2);
        await UntilAsync(() => first.Numbers.Count + second.Numbers.Count == 2);
        Assert.Equal([1, 2], [.. first.Numbers, .. second.Numbers]);
        Assert.Contains(2, second.Numbers);
        await node.DisposeAsync();
    }

    /// <summary>Checks that a node paused beyond its claim is cancelled, and can change nothing after another node claimed the
    /// group.</summary>
    [Fact]
    public async Task A_node_paused_past_its_claim_cannot_move_the_cursor()
    {
        Options.Start = ConsumerStart.Oldest;
        Options.ClaimDuration = ShortClaim;
        await AppendAsync("orders/1", 1);
        var (began, cancelled, resume) = (NewSignal(), NewSignal(), NewSignal());
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cut = new CutStore(Store);
        var paused = new Recorder(
            async (batch, ct) =>
            {
                ct.Register(() => cancelled.TrySetResult());
                began.TrySetResult();
                await resume.Task;
                outcome.TrySetResult(
                    await Record.ExceptionAsync(async () =>
                        await Store.WriteAsync(
                            async (unit, token) =>
                            {
                                await unit.AppendAsync(EventDraft.Of(Effects, "effect", 1), token);
                                await batch.CheckpointAsync(unit, batch.Through, token);
                            },
                            Cancellation
                        )
                    )
                );
                ct.ThrowIfCancellationRequested();
            }
        );
        await using var node = await StartAsync(paused, cut);
        await began.Task.WaitAsync(Cancellation);
        cut.IsCut = true;
        var second = new Recorder();
        await using var other = await StartAsync(second);
        await UntilAsync(() => !second.Numbers.IsEmpty && cancelled.Task.IsCompleted);
        await UntilThroughAsync(1);
        resume.SetResult();
        Assert.Equal(ErrorCode.LeaseLost, Assert.IsType<DunlinException>(await outcome.Task.WaitAsync(Cancellation)).Code);
        Assert.Empty(await ReadAllAsync(0, Effects.Value));
        Assert.Empty(paused.Numbers);
    }

    /// <summary>Checks that a node killed before or after any access to the store loses no event, and that effects in the unit of work of
    /// the checkpoint happen once.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_kill_between_any_two_steps_loses_nothing(bool isCommitted)
    {
        Options.Start = ConsumerStart.Oldest;
        Options.ClaimDuration = ShortClaim;
        Options.BatchSize = 2;
        for (var i = 1; i <= 3; i++)
            await AppendAsync("orders/1", i);
        for (var call = 1; call <= 8; call++)
        {
            var (group, number) = ($"kill/{call}", call);
            var killed = new KilledStore(Store, call, isCommitted);
            var node = await StartAsync(EffectsOf(group, killed), killed, group);
            await UntilAsync(async () => killed.IsKilled || await Groups.FindAsync(group, Cancellation) is { Position.Offset: >= 3 });
            await using (await StartAsync(EffectsOf(group, Store), group: group))
                await UntilThroughAsync(3, group);
            await node.DisposeAsync();
            var effects = (await ReadAllAsync(0, $"effects/{group}")).Select(NumberOf);
            Assert.True(effects.SequenceEqual([1, 2, 3]), $"call {number}: {string.Join(',', effects)}");
        }
    }

    private static Recorder EffectsOf(string group, IStore store) =>
        new(
            async (batch, ct) =>
                await store.WriteAsync(
                    async (unit, token) =>
                    {
                        foreach (var entry in batch.Events)
                            await unit.AppendAsync(Draft($"effects/{group}", NumberOf(entry)), token);
                        await batch.CheckpointAsync(unit, batch.Through, token);
                    },
                    ct
                )
        );

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
