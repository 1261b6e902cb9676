namespace Dunlin.Redis.Backplane;

/// <summary>Records which transient events of other nodes were delivered, so that an event which arrives through Redis and through the
/// store is delivered once. Thread-safe.</summary>
/// <remarks>Each node numbers its own events. The class keeps the last <see cref="Window"/> numbers of each node. An older number counts as
/// delivered: in doubt, an event is lost rather than duplicated.</remarks>
internal sealed class SeenNumbers(TimeProvider time)
{
    /// <summary>How far the two ways may be apart: a second with many events.</summary>
    private const int Window = 4_096;

    /// <summary>The maximum number of nodes. A restarted node has a new id.</summary>
    private const int MaxNodes = 256;

    /// <summary>The age after which a node is removed. The store keeps transient events for a minute, so older ones cannot arrive
    /// again.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new(); // guards the fields below
    private readonly Dictionary<string, Seen> _nodes = new(StringComparer.Ordinal);

    /// <summary>Records an event. Returns false if it was recorded before.</summary>
    public bool Add(string node, long number)
    {
        lock (_gate)
        {
            if (!_nodes.TryGetValue(node, out var seen))
            {
                Forget();
                _nodes.Add(node, seen = new Seen());
            }
            seen.At = time.GetTimestamp();
            return seen.Add(number);
        }
    }

    // Requires _gate.
    private void Forget()
    {
        foreach (var (node, seen) in _nodes)
        {
            if (time.GetElapsedTime(seen.At) > ForgetAfter)
                _nodes.Remove(node);
        }
        if (_nodes.Count >= MaxNodes)
            _nodes.Remove(_nodes.MinBy(entry => entry.Value.At).Key);
    }

    private sealed class Seen
    {
        private readonly ulong[] _bits = new ulong[Window / 64];
        private long _last;

        public long At { get; set; }

        public bool Add(long number)
        {
            if (number < 0 || number <= _last - Window)
                return false;
            // Clears the bits of numbers that enter the window, which numbers that have left it used before. Counts down, because the
            // highest number has no successor.
            for (var entered = number; entered > _last && entered > number - Window; entered--)
                Of(entered) &= ~Bit(entered);
            _last = Math.Max(_last, number);
            if ((Of(number) & Bit(number)) != 0)
                return false;
            Of(number) |= Bit(number);
            return true;
        }

        private ref ulong Of(long number) => ref _bits[(number % Window) >> 6];

        private static ulong Bit(long number) => 1UL << (int)(number & 63);
    }
}
