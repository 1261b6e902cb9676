using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>A stream as one transaction or snapshot sees it. Immutable.</summary>
/// <remarks>Offsets are those of the journal, so they grow in commit order and never repeat.</remarks>
public sealed class StreamState
{
    internal StreamState(StreamRow row) => Row = row;

    /// <summary>Gets the topic.</summary>
    public TopicName Topic => Row.Topic;

    /// <summary>Gets a number that no other stream has, also no later one of the same topic.</summary>
    public long Id => Row.Id;

    /// <summary>Gets the content type.</summary>
    public string ContentType => Row.ContentType;

    /// <summary>Gets whether the stream holds JSON messages.</summary>
    public bool IsJson => StreamEvents.IsJson(Row.ContentType);

    /// <summary>Gets whether the stream takes no more appends. A closed stream never opens again.</summary>
    public bool IsClosed => Row.IsClosed;

    /// <summary>Gets whether the stream was deleted while forks still need its data. Only forks can read it.</summary>
    public bool IsDeleted => Row.Status == StreamStatus.Deleted;

    /// <summary>Gets the offset of the last append. A reader that continues after it has read everything.</summary>
    public long Tail => Row.End;

    /// <summary>Gets the offset through which the data was trimmed. A reader cannot continue after an offset below it.</summary>
    public long TrimmedThrough => Row.TrimmedThrough;

    /// <summary>Gets the time without reads and writes after which the stream ends; null for none.</summary>
    public TimeSpan? TimeToLive => Row.TimeToLive;

    /// <summary>Gets the time (UTC) at which the stream ends; null if it has none, or a time to live instead.</summary>
    public DateTimeOffset? ExpiresAt => Row.TimeToLive is null ? Row.ExpiresAt : null;

    /// <summary>Gets the topic of the stream that this one is a fork of; null for none.</summary>
    public TopicName? ForkedFrom => Row.Fork?.From is { } from ? TopicName.FromStored(from) : null;

    internal StreamRow Row { get; }

    /// <summary>Gets the time of the store at which the state was read.</summary>
    internal DateTimeOffset ReadAt { get; init; }
}
