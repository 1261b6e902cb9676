namespace Dunlin.Fanout;

/// <summary>The states of an <see cref="EventStreamConnection"/>.</summary>
public enum EventStreamState
{
    /// <summary>The connection reads the journal after its position, at the speed of the peer.</summary>
    CatchingUp,

    /// <summary>The connection receives each event as it is committed.</summary>
    Live,

    /// <summary>The peer is slow and the queue was full. The connection catches up once its queue is written.</summary>
    Lagging,

    /// <summary>The connection is closing.</summary>
    Closing,
}
