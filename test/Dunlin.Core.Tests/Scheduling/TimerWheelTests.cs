using Dunlin.Scheduling;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Scheduling;

public sealed class TimerWheelTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly TimerWheel _wheel;
    private readonly List<Exception> _errors = [];

    public TimerWheelTests() => _wheel = new TimerWheel(_time, _errors.Add);

    [Fact]
    public void An_entry_is_never_early_and_at_most_one_slot_late()
    {
        var random = TestSeed.NewRandom(out _);
        var due = new List<(TimeSpan Wanted, TimeSpan Got)>();
        var start = _time.GetTimestamp();
        for (var i = 0; i < 500; i++)
        {
            var wanted = _time.GetElapsedTime(start) + TimeSpan.FromMilliseconds(random.Next(1, 900_000));
            _wheel.Schedule(new WheelAction(() => due.Add((wanted, _time.GetElapsedTime(start)))), wanted - _time.GetElapsedTime(start));
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(0, 700)));
        }
        _time.Advance(TimeSpan.FromSeconds(1_000));
        Assert.Equal(500, due.Count);
        Assert.All(due, d => Assert.InRange(d.Got - d.Wanted, TimeSpan.Zero, TimerWheel.Slot));
    }

    [Fact]
    public void A_rescheduled_entry_fires_once_and_a_cancelled_one_never()
    {
        var fired = 0;
        var moved = new WheelAction(() => fired++);
        var cancelled = new WheelAction(() => fired += 100);
        _wheel.Schedule(moved, TimeSpan.FromSeconds(5));
        _wheel.Schedule(cancelled, TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(3));
        _wheel.Schedule(moved, TimeSpan.FromSeconds(300));
        _wheel.Cancel(cancelled);
        _time.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal(0, fired);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void An_exact_entry_fires_within_a_millisecond_and_never_early()
    {
        var random = TestSeed.NewRandom(out _);
        var due = new List<(TimeSpan Wanted, TimeSpan Got)>();
        var start = _time.GetTimestamp();
        for (var i = 0; i < 500; i++)
        {
            var wanted = _time.GetElapsedTime(start) + TimeSpan.FromTicks(random.Next(0, 1_000_000_000) * 9L);
            _wheel.ScheduleExact(
                new WheelAction(() => due.Add((wanted, _time.GetElapsedTime(start)))),
                wanted - _time.GetElapsedTime(start)
            );
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(0, 700)));
        }
        _time.Advance(TimeSpan.FromSeconds(1_000));
        Assert.Equal(500, due.Count);
        Assert.All(due, d => Assert.InRange(d.Got - d.Wanted, TimeSpan.Zero, TimeSpan.FromMilliseconds(1)));
    }

    [Fact]
    public void A_moved_exact_entry_fires_once_and_a_cancelled_one_never()
    {
        var fired = new List<string>();
        var (moved, coarse, cancelled) = (Entry("moved"), Entry("coarse"), Entry("cancelled"));
        foreach (var entry in new[] { moved, coarse, cancelled })
            _wheel.ScheduleExact(entry, TimeSpan.FromMilliseconds(500));
        _wheel.ScheduleExact(moved, TimeSpan.FromMilliseconds(200));
        _wheel.ScheduleExact(moved, TimeSpan.FromMilliseconds(700));
        _wheel.Schedule(coarse, TimeSpan.FromSeconds(3));
        _wheel.Cancel(cancelled);
        _time.Advance(TimeSpan.FromMilliseconds(699));
        Assert.Empty(fired);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["moved"], fired);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["moved", "coarse"], fired);

        WheelAction Entry(string name) => new(() => fired.Add(name));
    }

    [Fact]
    public void A_throwing_entry_does_not_stop_the_others()
    {
        var fired = 0;
        for (var i = 0; i < 3; i++)
        {
            var n = i;
            _wheel.Schedule(
                new WheelAction(() => fired += n == 1 ? throw new InvalidOperationException("on purpose") : 1),
                TimeSpan.FromSeconds(2)
            );
        }
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(2, fired);
        Assert.Single(_errors);
    }

    public void Dispose() => _wheel.Dispose();
}
