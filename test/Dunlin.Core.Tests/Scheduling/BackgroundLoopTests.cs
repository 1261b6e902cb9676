using Dunlin.Scheduling;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Scheduling;

public sealed class BackgroundLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ManualTime _time = new();
    private readonly TestLog _log = new();
    private readonly BackgroundLoops _loops = new();

    [Fact]
    public async Task A_throwing_body_restarts_after_the_back_off()
    {
        var runs = 0;
        await using var loop = Start(
            (_, stopping) => ++runs == 1 ? throw new FormatException("bad") : Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping)
        );
        Assert.Equal(1, runs);
        var entry = Assert.Single(_log.Entries);
        Assert.Equal(1240, entry.Id);
        Assert.Contains("'test'", entry.Text, StringComparison.Ordinal);
        Assert.IsType<FormatException>(entry.Exception);
        _time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Equal(1, runs);
        _time.Advance(TimeSpan.FromMilliseconds(501));
        await UntilAsync(() => Volatile.Read(ref runs) == 2);
    }

    [Fact]
    public async Task Back_off_doubles_to_its_maximum_and_success_resets_it()
    {
        var delays = new List<TimeSpan>();
        await using var loop = new BackgroundLoop(
            "test",
            static (_, _) => Task.CompletedTask,
            _time,
            _log,
            new LoopBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(6))
        );
        for (var i = 0; i < 5; i++)
            delays.Add(loop.ReportFault(new FormatException()));
        loop.ReportSuccess();
        delays.Add(loop.ReportFault(new FormatException()));
        double[] longest = [1, 2, 4, 6, 6, 1];
        for (var i = 0; i < longest.Length; i++)
            Assert.InRange(delays[i].TotalSeconds, longest[i] / 2, longest[i]);
        Assert.Contains(_log.Entries, entry => entry.Id == 1241);
    }

    [Fact]
    public void Back_off_after_many_faults_stays_at_its_maximum()
    {
        var backoff = new LoopBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        Assert.InRange(backoff.Delay(1_000_000).TotalSeconds, 15, 30);
    }

    [Fact]
    public async Task Stop_ends_the_back_off_wait()
    {
        var runs = 0;
        await using var loop = Start(
            (_, _) =>
            {
                runs++;
                throw new FormatException();
            }
        );
        await loop.StopAsync(TestContext.Current.CancellationToken)
            .WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, runs);
        Assert.True(loop.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Stop_cancels_the_body_and_waits_for_its_end()
    {
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var loop = Start(
            async (_, stopping) =>
            {
                await using var registration = stopping.Register(cancelled.SetResult);
                await mayEnd.Task;
                throw new FormatException("broken off");
            }
        );
        var stopped = loop.StopAsync(TestContext.Current.CancellationToken);
        try
        {
            await cancelled.Task.WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.False(stopped.IsCompleted);
        }
        finally
        {
            mayEnd.SetResult();
        }
        await stopped.WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken);
        // A body may fail with any exception while it is stopped.
        Assert.Empty(_log.Entries);
    }

    [Fact]
    public async Task A_foreign_cancellation_is_a_fault()
    {
        await using var loop = Start((_, _) => throw new OperationCanceledException());
        Assert.Equal(1240, Assert.Single(_log.Entries).Id);
        Assert.Equal(1, loop.ConsecutiveFaults);
    }

    [Fact]
    public async Task A_failing_loop_is_reported_until_it_succeeds_or_stops()
    {
        var (fails, runs) = (true, 0);
        var loop = Start(
            async (self, stopping) =>
            {
                runs++;
                if (fails)
                    throw new FormatException();
                self.ReportSuccess();
                await Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping);
            }
        );
        Assert.Empty(_loops.Failing);
        for (var faults = 2; faults <= BackgroundLoop.FailingAfter; faults++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await UntilAsync(() => loop.ConsecutiveFaults >= faults);
        }
        Assert.Equal(["test"], _loops.Failing);
        Assert.IsType<FormatException>(loop.LastFault);
        fails = false;
        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(() => loop.ConsecutiveFaults == 0);
        Assert.Empty(_loops.Failing);
        Assert.Null(loop.LastFault);
        await loop.DisposeAsync();
        for (var i = 0; i < BackgroundLoop.FailingAfter; i++)
            loop.ReportFault(new FormatException());
        Assert.Empty(_loops.Failing);
    }

    [Fact]
    public async Task A_body_that_returns_ends_the_loop()
    {
        await using var loop = Start((_, _) => Task.CompletedTask);
        Assert.True(loop.Completion.IsCompletedSuccessfully);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public async Task Periodic_work_first_waits_an_interval_and_backs_off_after_a_fault()
    {
        var runs = 0;
        await using var loop = BackgroundLoop.Periodic(
            "test",
            static () => TimeSpan.FromHours(1),
            _ => ++runs == 2 ? throw new FormatException() : Task.CompletedTask,
            _time,
            _log,
            _loops
        );
        loop.Start();
        Assert.Equal(0, runs);
        await AdvanceAsync(TimeSpan.FromHours(1), 1);
        await AdvanceAsync(TimeSpan.FromHours(1), 2);
        // Waits for the back-off, not for an hour.
        await AdvanceAsync(TimeSpan.FromSeconds(1), 3);
        await AdvanceAsync(TimeSpan.FromMinutes(59), 3);
        await AdvanceAsync(TimeSpan.FromMinutes(1), 4);

        async Task AdvanceAsync(TimeSpan by, int expected)
        {
            await UntilAsync(() => _time.ActiveTimers == 1);
            _time.Advance(by);
            await UntilAsync(() => Volatile.Read(ref runs) == expected);
        }
    }

    private BackgroundLoop Start(Func<BackgroundLoop, CancellationToken, Task> body)
    {
        var loop = new BackgroundLoop("test", body, _time, _log, registry: _loops);
        loop.Start();
        return loop;
    }

    // A continuation may run on the pool after time was advanced.
    private static async Task UntilAsync(Func<bool> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, "the condition was not met in time");
            await Task.Yield();
        }
    }
}
