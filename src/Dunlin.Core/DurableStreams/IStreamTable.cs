using Dunlin.Topics;

namespace Dunlin.DurableStreams;

/// <summary>The rows of streams and producers in one unit of work or read scope. Not thread-safe.</summary>
/// <remarks>An implementation must guarantee that rows commit with the unit of work, and that a row has the last offset of its topic,
/// including the events that the unit has appended.</remarks>
internal interface IStreamTable
{
    /// <summary>Returns the stream of a topic, also if it is deleted or removed; null if there is none.</summary>
    ValueTask<StreamRow?> FindAsync(TopicName topic, CancellationToken cancellationToken);

    /// <summary>Returns the stream with an id; null if there is none.</summary>
    ValueTask<StreamRow?> FindAsync(long id, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the row of its topic.</summary>
    ValueTask SaveAsync(StreamRow row, CancellationToken cancellationToken);

    /// <summary>Returns whether a stream has forks that are not removed.</summary>
    ValueTask<bool> HasForksAsync(long id, CancellationToken cancellationToken);

    /// <summary>Returns the topics of live streams that ended before a time, earliest first.</summary>
    ValueTask<IReadOnlyList<TopicName>> ListExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken);

    /// <summary>Returns the state of a producer; null for a new one.</summary>
    ValueTask<StreamProducerState?> FindProducerAsync(long id, string producer, CancellationToken cancellationToken);

    /// <summary>Inserts or replaces the state of a producer.</summary>
    ValueTask SaveProducerAsync(long id, string producer, StreamProducerState state, CancellationToken cancellationToken);

    /// <summary>Removes the producers of a stream.</summary>
    ValueTask ForgetProducersAsync(long id, CancellationToken cancellationToken);
}

/// <summary>Gives access to the streams of a unit of work or read scope. Implemented by stores that have streams.</summary>
internal interface IStreamScope
{
    IStreamTable Streams { get; }

    IStreamSubscriptionTable StreamSubscriptions { get; }
}
