using Microsoft.Extensions.Logging;

namespace Dunlin.Scheduling;

/// <summary>
/// One kind of notification inside this process. <see cref="Publish"/> calls the handlers on its own thread, one after another in the
/// order of subscription. An exception of a handler is logged, and the handlers after it are called all the same.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Two concurrent publications may reach a handler at the same time and in either order, unless the publisher
/// serializes them. A handler that is added or removed during a publication takes part from the next one on, so a handler may still be
/// running when its subscription has been disposed on another thread. Handlers must not block.
/// </remarks>
/// <typeparam name="T">What is published.</typeparam>
/// <param name="name">Names the signal in the log.</param>
/// <param name="logger">Logs failed handlers; null logs nothing.</param>
internal sealed class Signal<T>(string name, ILogger? logger = null)
{
    // The array is replaced, never changed, so that publishing takes no lock. The lock guards the replacing.
    private readonly Lock _gate = new();
    private Subscription[] _subscriptions = [];

    /// <summary>Adds a handler.</summary>
    /// <returns>Removes the handler when disposed; disposing it again does nothing.</returns>
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
#pragma warning disable CA1031 // the other handlers, and the publisher, must not fail with this one
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
