namespace Dunlin.DurableStreams.Tests.Support;

/// <summary>Waits for states of other processes.</summary>
internal static class Poll
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    /// <summary>Waits until a condition holds.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Deadline, $"After {Deadline.TotalSeconds} s: not yet {what}.");
            await TurnAsync();
        }
    }

    /// <summary>Lets other work run before the next look.</summary>
    public static Task TurnAsync() => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
}
