namespace Dunlin.Client;

/// <summary>Holds the options of one subscription. Do not change them while it is read.</summary>
public sealed class SubscribeOptions
{
    /// <summary>The position after which the subscription starts. A position in <see cref="Positions"/> comes first. Default: null, which
    /// starts with new events.</summary>
    public StreamPosition? After { get; set; }

    /// <summary>The store that keeps the position across restarts. It needs <see cref="Name"/>. Default: null, which keeps the position in
    /// memory only.</summary>
    public IPositionStore? Positions { get; set; }

    /// <summary>The name of the subscription in <see cref="Positions"/>. Two running subscriptions must not share it. Default:
    /// null.</summary>
    public string? Name { get; set; }

    /// <summary>The longest time for which a position stays unsaved while events keep arriving. An idle subscription saves at once.
    /// Default: 1 second. Zero saves after each event.</summary>
    public TimeSpan SaveInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether the caller is listed as present on the topics. Default: false.</summary>
    public bool Presence { get; set; }

    /// <summary>Whether the server may leave out events that a later event of the same topic and type supersedes, while this reader is
    /// behind. Default: false.</summary>
    public bool Conflate { get; set; }

    /// <summary>Whether the stream contains the events of requests that this client sent with the id of this stream. Default:
    /// true.</summary>
    public bool Echo { get; set; } = true;

    /// <summary>The heartbeat interval until the server's hello names another one. A stream without a byte for 2.5 intervals is reopened.
    /// Default: 15 seconds.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Called after each change of the connection's state, on the thread that reads the subscription. It must not block or throw.
    /// Default: null.</summary>
    public Action<ConnectionState>? OnStateChanged { get; set; }
}
