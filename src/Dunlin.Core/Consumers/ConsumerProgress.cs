namespace Dunlin.Consumers;

/// <summary>How far a node has read for a group that it holds. One writer, any readers.</summary>
internal sealed class ConsumerProgress(long through)
{
    private long _through = through;
    private long _oldest;

    /// <summary>Gets or sets the offset through which all events are processed or on other topics. At or after the stored cursor.</summary>
    public long Through
    {
        get => Volatile.Read(ref _through);
        set => Volatile.Write(ref _through, value);
    }

    /// <summary>Gets or sets the time of the oldest event of the current batch; null between batches.</summary>
    public DateTimeOffset? Oldest
    {
        get => Volatile.Read(ref _oldest) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        set => Volatile.Write(ref _oldest, value?.UtcTicks ?? 0);
    }
}
