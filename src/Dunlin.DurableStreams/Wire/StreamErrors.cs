using Dunlin.Diagnostics;

namespace Dunlin.DurableStreams.Wire;

/// <summary>The errors that only streams have.</summary>
internal static class StreamErrors
{
    /// <summary>The stream was deleted, or the data after the offset is no longer stored (HTTP 410).</summary>
    public static readonly ErrorCode Gone = new(
        "stream_gone",
        410,
        ErrorClass.Resync,
        "The stream or its data is gone.",
        "Read the stream from its beginning (offset=-1), or use another stream."
    );

    public static DunlinException NotFound() => new(ErrorCode.NotFound, "There is no such stream. Create it with PUT.");

    public static DunlinException Deleted() => new(Gone, "The stream was deleted. Its data is kept for its forks only.");

    public static DunlinException Trimmed() => new(Gone, "The data after this offset was removed.", "offset");

    public static DunlinException Invalid(string detail, string field) => new(ErrorCode.InvalidField, detail, field);

    /// <summary>Returns a stream that is neither missing nor deleted.</summary>
    public static StreamState Living(this StreamState? stream) =>
        stream switch
        {
            null => throw NotFound(),
            { IsDeleted: true } => throw Deleted(),
            _ => stream,
        };
}
