using Dunlin.Journal;
using Microsoft.Extensions.Logging;

namespace Dunlin.Webhooks;

/// <summary>What all endpoints of a node share. Thread-safe.</summary>
internal sealed record WebhookNode(
    IStore Store,
    StoreClock Clock,
    WebhookSender Sender,
    WebhookInstruments Instruments,
    WebhookOptions Options,
    ILogger Logger
)
{
    private TaskCompletionSource _changed = New();

    /// <summary>Lets the worker look at the endpoints at once.</summary>
    public void Wake() => Volatile.Read(ref _changed).TrySetResult();

    /// <summary>Returns a task that completes with the next <see cref="Wake"/>.</summary>
    public Task WhenChanged()
    {
        var changed = New();
        Interlocked.Exchange(ref _changed, changed);
        return changed.Task;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
