using System.Text.RegularExpressions;
using Dunlin.Core.Tests.Style;
using Dunlin.Scheduling;

namespace Dunlin.Core.Tests.Scheduling;

public sealed partial class BackgroundTests
{
    private readonly TaskScheduler _scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;

    [Fact]
    public async Task Work_runs_on_the_thread_pool_under_any_scheduler()
    {
        TaskScheduler? found = null;
        await StartAsync(() => Background.Run(() => Note(out found)));
        Assert.Same(TaskScheduler.Default, found);
        Assert.Same(Random.Shared, Background.Random);
        Assert.Equal(TaskCreationOptions.RunContinuationsAsynchronously, Background.Continuations);
    }

    [Fact]
    public async Task A_simulation_keeps_work_and_numbers_on_its_scheduler()
    {
        TaskScheduler? ran = null;
        var (random, queued) = (new Random(1), new TaskCompletionSource<TaskScheduler>());
        using var source = new CancellationTokenSource();
        TaskScheduler? cancelled = null;
        using var registration = source.Token.Register(() => cancelled = TaskScheduler.Current);
        var work = StartAsync(() =>
        {
            Background.Simulate(random);
            try
            {
                Assert.Same(random, Background.Random);
                Background.Queue(static state => state.SetResult(TaskScheduler.Current), queued);
                return Task.WhenAll(Background.Run(() => Note(out ran)), Background.CancelAsync(source));
            }
            finally
            {
                Background.Simulate(null);
            }
        });
        await work;
        Assert.Equal([_scheduler, _scheduler, _scheduler], [ran, cancelled, await queued.Task]);
    }

    [Fact]
    public void The_engine_starts_background_work_through_the_seam()
    {
        var found = Checkout
            .Files(".cs")
            .Where(static path =>
                path.StartsWith("src/Dunlin.Core/", StringComparison.Ordinal) && !path.EndsWith("/Background.cs", StringComparison.Ordinal)
            )
            .SelectMany(static path => Bypass().Matches(Checkout.Read(path)).Select(match => $"{path}: {match.Value}"));
        Assert.Empty(found);
    }

    private static Task Note(out TaskScheduler? scheduler)
    {
        scheduler = TaskScheduler.Current;
        return Task.CompletedTask;
    }

    private Task StartAsync(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.None, _scheduler).Unwrap();

    [GeneratedRegex(@"\bTask\.Run\(|\bThreadPool\.\w+\(|\bRandom\.Shared\b|\.CancelAsync\(\)")]
    private static partial Regex Bypass();
}
