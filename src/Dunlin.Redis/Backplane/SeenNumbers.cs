namespace Dunlin.Redis.Backplane;

/// <summary>
/// Which transient events of the other nodes were delivered: each node numbers its own, and one that comes by Redis and through
/// the store is delivered once. Of each node the last <see cref="Window"/> numbers are remembered; an older one counts as
/// delivered, so that what is in doubt is lost and not doubled. Safe for concurrent use.
/// </summary>
internal sealed class SeenNumbers(TimeProvider time)
{
    /// <summary>How far the two ways may be apart: a second of many events.</summary>
    private const int Window = 4_096;

    /// <summary>Nodes remembered at most; one that comes back after a restart is another.</summary>
    private const int MaxNodes = 256;

    /// <summary>The store keeps what it passes on for a minute; what was sent longer ago cannot come again.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new(); // guards everything below
    private readonly Dictionary<string, Seen> _nodes = new(StringComparer.Ordinal);

    /// <summary>Whether this one has not been seen before; from now on it has.</summary>
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

    // Only under _gate.
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
            if (number <= _last - Window)
                return false;
            // Places of numbers that have left the window are taken over by those that enter it.
            for (var entered = Math.Max(_last + 1, number - Window + 1); entered <= number; entered++)
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
