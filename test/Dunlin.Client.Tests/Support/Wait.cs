namespace Dunlin.Client.Tests.Support;

/// <summary>Waits for states of other processes, with a deadline.</summary>
internal static class Wait
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Waits a short time between two looks at another process.</summary>
    public static Task PollAsync() => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);

    public static async Task UntilAsync(Func<bool> condition, Func<string> describe)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition())
        {
            if (limit.IsCancellationRequested)
                throw new TimeoutException(describe());
            await PollAsync();
        }
    }

    public static async Task ForAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(() => cancelled.TrySetResult());
        await cancelled.Task.WaitAsync(Limit);
    }

    public static Task<T> WithinLimit<T>(this Task<T> task) => task.WaitAsync(Limit);

    public static Task WithinLimit(this Task task) => task.WaitAsync(Limit);
}
