using Microsoft.Extensions.Logging;

namespace Dunlin.Scheduling;

/// <summary>A notification within this process. Thread-safe.</summary>
/// <remarks>
/// <see cref="Publish"/> calls the handlers on its own thread, in the order of subscription. An exception of a handler is logged and does
/// not stop the others. Two concurrent publications may reach a handler at the same time and in either order, unless the publisher
/// serialises them. Adding or removing a handler takes effect with the next publication. A handler may therefore still run when another
/// thread has disposed its subscription. Handlers must not block.
/// </remarks>
/// <typeparam name="T">The type of the published values.</typeparam>
/// <param name="name">The name of the signal in the log.</param>
/// <param name="logger">Logs exceptions of handlers; null disables logging.</param>
internal sealed class Signal<T>(string name, ILogger? logger = null)
{
    // The array is immutable and replaced under the lock, so that publishing needs no lock.
    private readonly Lock _gate = new();
    private Subscription[] _subscriptions = [];

    /// <summary>Gets whether there is a handler. Lets a publisher skip the work for a value that nobody receives.</summary>
    public bool HasHandlers => Volatile.Read(ref _subscriptions).Length > 0;

    /// <summary>Adds a handler.</summary>
    /// <returns>A subscription; dispose it to remove the handler. Further disposals do nothing.</returns>
    public IDisposable Subscribe(Action<T> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var added = new Subscription(this, handler);
        lock (_gate)
            _subscriptions = [.. _subscriptions, added];
        return added;
    }

    /// <summary>Calls all handlers. Never throws.</summary>
    public void Publish(T value)
    {
        foreach (var subscription in Volatile.Read(ref _subscriptions))
        {
            try
            {
                subscription.Handler(value);
            }
#pragma warning disable CA1031 // an exception must not affect the other handlers or the publisher
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (logger is not null)
                    SignalLog.HandlerFailed(logger, exception, name);
            }
        }
    }

    private void Remove(Subscription removed)
    {
        lock (_gate)
            _subscriptions = [.. _subscriptions.Where(subscription => !ReferenceEquals(subscription, removed))];
    }

    private sealed class Subscription(Signal<T> signal, Action<T> handler) : IDisposable
    {
        public Action<T> Handler { get; } = handler;

        public void Dispose() => signal.Remove(this);
    }
}

internal static partial class SignalLog
{
    [LoggerMessage(1230, LogLevel.Error, "A handler of {Signal} failed. The other handlers were called. Correct the handler.")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string signal);
}
