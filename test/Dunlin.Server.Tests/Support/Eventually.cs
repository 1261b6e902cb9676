using System.Diagnostics;

namespace Dunlin.Server.Tests.Support;

/// <summary>Waits for the state of another process, which no test can notify.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Repeats a check until it holds; fails after 90 seconds.</summary>
    public static async Task TrueAsync(Func<Task<bool>> check, Func<string>? describe = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await check())
        {
            Assert.True(watch.Elapsed < Limit, $"The state was not reached: {describe?.Invoke()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, Func{string}?)"/>
    public static Task TrueAsync(Func<bool> check, Func<string>? describe = null) => TrueAsync(() => Task.FromResult(check()), describe);
}
