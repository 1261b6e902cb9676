namespace Dunlin.Inspector.Sampling;

/// <summary>The figures of one node. Rates are for each second of the time since the sample before. Immutable.</summary>
internal sealed record NodeSample
{
    public required string Node { get; init; }

    public required string Name { get; init; }

    public required string Version { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Gets the time of the sample, by the clock of the node.</summary>
    public required DateTimeOffset At { get; init; }

    public int Connections { get; init; }

    /// <summary>Gets the connections that are not live: they catch up, or lag behind a full queue.</summary>
    public int Behind { get; init; }

    public double Delivered { get; init; }

    public double CaughtUp { get; init; }

    public double Overflowed { get; init; }

    public double Resets { get; init; }

    public double Events { get; init; }

    public double Bytes { get; init; }

    /// <summary>Gets the median of the time from an append to its durable answer, in milliseconds. Null if nothing was appended.</summary>
    public double? P50 { get; init; }

    public double? P99 { get; init; }

    /// <summary>Gets the longest time from a commit until the live connections of a shard got its events, in milliseconds. Null if nothing
    /// was delivered.</summary>
    public double? DeliveryLag { get; init; }

    /// <summary>Gets the requests that wait for the writer.</summary>
    public long Queue { get; init; }

    /// <summary>Gets the offset up to which the node has delivered.</summary>
    public long Offset { get; init; }

    /// <summary>Gets the offset of the head of the journal, as this node knows it.</summary>
    public long Head { get; init; }

    /// <summary>Gets the offsets from the oldest event in the journal to its head. Retention may have removed some of them.</summary>
    public long Kept { get; init; }

    /// <summary>Gets the space that the journal occupies, in bytes. Null if the store cannot measure it.</summary>
    public long? StoredBytes { get; init; }

    /// <summary>Gets the processor time that the process used, in cores.</summary>
    public double Cpu { get; init; }

    /// <summary>Gets the working set of the process in bytes.</summary>
    public long Memory { get; init; }

    public bool IsDraining { get; init; }
}

/// <summary>The figures of all nodes that answered. Immutable.</summary>
/// <param name="At">The time, by the clock of the node that serves the viewer.</param>
/// <param name="Nodes">The nodes. The first one serves the viewer.</param>
/// <param name="Silent">The names of nodes that did not answer within one second.</param>
internal sealed record ClusterSample(DateTimeOffset At, IReadOnlyList<NodeSample> Nodes, IReadOnlyList<string> Silent);

/// <summary>The request for the sample of another node.</summary>
/// <param name="KeepMs">The time for which that node keeps sampling, in milliseconds.</param>
internal sealed record SampleRequest(int KeepMs);
