using Dunlin.Journal;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Journal;

public sealed class ManualTimeTests
{
    [Fact]
    public void Timers_fire_in_order_each_at_its_own_time()
    {
        var time = new ManualTime();
        var start = time.GetUtcNow();
        var fired = new List<(string Name, double At)>();
        void Fire(object? name) => fired.Add(((string)name!, (time.GetUtcNow() - start).TotalSeconds));
        using var late = time.CreateTimer(Fire, "late", TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using var periodic = time.CreateTimer(Fire, "periodic", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        using var disposed = time.CreateTimer(Fire, "disposed", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        disposed.Dispose();
        time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Empty(fired);
        time.Advance(TimeSpan.FromSeconds(3.5));
        Assert.Equal([("periodic", 1), ("late", 3), ("periodic", 3)], fired);
        Assert.Equal(TimeSpan.FromSeconds(4), time.GetElapsedTime(0));
        Assert.Equal(1, time.ActiveTimers);
    }

    [Fact]
    public void A_timer_armed_by_a_timer_fires_in_the_same_advance()
    {
        var time = new ManualTime();
        var fired = 0;
        ITimer? second = null;
        using var first = time.CreateTimer(
            _ => second = time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan),
            null,
            TimeSpan.FromSeconds(1),
            Timeout.InfiniteTimeSpan
        );
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, fired);
        second!.Dispose();
    }

    [Fact]
    public async Task System_timer_classes_run_on_manual_time()
    {
        var time = new ManualTime();
        var delay = Task.Delay(TimeSpan.FromMinutes(1), time, TestContext.Current.CancellationToken);
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2), time);
        await time.WhenTimersAsync(2);
        time.Advance(TimeSpan.FromMinutes(1));
        await delay;
        Assert.False(timeout.IsCancellationRequested);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(timeout.IsCancellationRequested);
    }

    [Fact]
    public void The_store_clock_follows_elapsed_time_not_the_wall_clock()
    {
        var time = new ManualTime();
        var clock = new StoreClock(time);
        var start = clock.Now;
        time.StepWallClock(TimeSpan.FromDays(-30));
        time.Advance(TimeSpan.FromSeconds(1));
        time.StepWallClock(TimeSpan.FromDays(300));
        Assert.Equal(start.AddSeconds(1), clock.Now);
        time.Advance(TimeSpan.FromTicks(12_345));
        Assert.Equal(start.AddMilliseconds(1_001), clock.EventTime);
    }
}
