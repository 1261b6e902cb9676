namespace Dunlin.Client.Streams;

/// <summary>How the events of a stream reach the client.</summary>
internal enum StreamTransport
{
    Sse,
    LongPoll,
}

/// <summary>Chooses the transport of the streams of a client. Thread-safe.</summary>
/// <remarks>A stream without a byte after <see cref="FirstBytes"/> becomes a sequence of long polls. Only a transport that has delivered
/// bytes replaces the other one, so an unreachable server changes nothing. Server-sent events are tried again after 10 minutes, and later
/// after twice the time, up to one hour.</remarks>
internal sealed class TransportChooser(TimeProvider time)
{
    /// <summary>The time in which the first bytes of a stream must arrive.</summary>
    public static readonly TimeSpan FirstBytes = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Retry = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan MaxRetry = TimeSpan.FromHours(1);

    private readonly Lock _gate = new(); // guards the fields below
    private TimeSpan? _delay; // until server-sent events are tried again; null while they are in use
    private long _since;

    /// <summary>Returns the transport with which the next request begins.</summary>
    public StreamTransport Next()
    {
        lock (_gate)
            return _delay is { } delay && time.GetElapsedTime(_since) < delay ? StreamTransport.LongPoll : StreamTransport.Sse;
    }

    /// <summary>Reports that a transport has delivered bytes.</summary>
    public void Opened(StreamTransport transport)
    {
        lock (_gate)
        {
            if (transport == StreamTransport.Sse)
            {
                _delay = null;
            }
            else if (_delay is not { } delay)
            {
                (_delay, _since) = (Retry, time.GetTimestamp());
            }
            else if (time.GetElapsedTime(_since) >= delay)
            {
                (_delay, _since) = (delay * 2 < MaxRetry ? delay * 2 : MaxRetry, time.GetTimestamp());
            }
        }
    }
}
