namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>What one run does: threads that run in any order, and a check of the state that they leave.</summary>
internal sealed class Scenario
{
    public List<(string Name, Func<Task> Body)> Threads { get; } = [];

    public Func<Task> Check { get; private set; } = static () => Task.CompletedTask;

    /// <summary>Adds a thread. A body that awaits continues as further threads.</summary>
    public void Thread(string name, Func<Task> body) => Threads.Add((name, body));

    /// <inheritdoc cref="Thread(string, Func{Task})"/>
    public void Thread(string name, Action body) =>
        Thread(
            name,
            () =>
            {
                body();
                return Task.CompletedTask;
            }
        );

    /// <summary>In a check: completes when all other threads have gone as far as they can.</summary>
    public async Task SettleAsync()
    {
        // A yielded continuation is the last of the threads, which continue in their order.
        for (var i = 0; i < 50; i++)
            await Task.Yield();
    }

    /// <summary>Sets the check, which runs alone when no thread can continue.</summary>
    public void Then(Func<Task> check) => Check = check;

    /// <inheritdoc cref="Then(Func{Task})"/>
    public void Then(Action check) =>
        Then(() =>
        {
            check();
            return Task.CompletedTask;
        });
}
