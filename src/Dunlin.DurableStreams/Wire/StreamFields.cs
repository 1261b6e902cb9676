namespace Dunlin.DurableStreams.Wire;

/// <summary>The header fields of the protocol.</summary>
internal static class StreamFields
{
    public const string NextOffset = "Stream-Next-Offset";
    public const string UpToDate = "Stream-Up-To-Date";
    public const string Closed = "Stream-Closed";
    public const string Cursor = "Stream-Cursor";
    public const string Sequence = "Stream-Seq";
    public const string TimeToLive = "Stream-TTL";
    public const string ExpiresAt = "Stream-Expires-At";
    public const string ForkedFrom = "Stream-Forked-From";
    public const string ForkOffset = "Stream-Fork-Offset";
    public const string ForkSubOffset = "Stream-Fork-Sub-Offset";
    public const string ProducerId = "Producer-Id";
    public const string ProducerEpoch = "Producer-Epoch";
    public const string ProducerSequence = "Producer-Seq";
    public const string ExpectedSequence = "Producer-Expected-Seq";
    public const string ReceivedSequence = "Producer-Received-Seq";
    public const string Encoding = "stream-sse-data-encoding";
    public const string True = "true";

    /// <summary>Gets the fields that pages of other origins may send.</summary>
    public static string[] OfRequests { get; } =
    [Closed, Sequence, TimeToLive, ExpiresAt, ForkedFrom, ForkOffset, ForkSubOffset, ProducerId, ProducerEpoch, ProducerSequence];

    /// <summary>Gets the fields that pages of other origins may read.</summary>
    public static string[] OfAnswers { get; } =
    [
        NextOffset,
        UpToDate,
        Closed,
        Cursor,
        TimeToLive,
        ExpiresAt,
        ProducerEpoch,
        ProducerSequence,
        ExpectedSequence,
        ReceivedSequence,
        Encoding,
    ];
}
