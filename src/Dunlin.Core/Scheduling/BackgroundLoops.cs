using System.Collections.Concurrent;

namespace Dunlin.Scheduling;

/// <summary>The running background loops of a node, for the health check. Thread-safe.</summary>
internal sealed class BackgroundLoops
{
    private readonly ConcurrentDictionary<BackgroundLoop, bool> _running = new();

    /// <summary>Gets the names of the failing loops, sorted; see <see cref="BackgroundLoop.FailingAfter"/>.</summary>
    public IReadOnlyList<string> Failing =>
        [.. _running.Keys.Where(loop => loop.IsFailing).Select(loop => loop.Name).Order(StringComparer.Ordinal)];

    public void Add(BackgroundLoop loop) => _running[loop] = true;

    public void Remove(BackgroundLoop loop) => _running.TryRemove(loop, out _);
}
