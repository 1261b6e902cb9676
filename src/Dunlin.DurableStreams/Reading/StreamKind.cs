namespace Dunlin.DurableStreams.Reading;

/// <summary>How the data of a stream appears in responses and event streams.</summary>
internal enum StreamKind
{
    /// <summary>JSON messages, as an array.</summary>
    Json,

    /// <summary>Text, as it is.</summary>
    Text,

    /// <summary>Bytes, in base64 in event streams.</summary>
    Binary,
}

/// <summary>Kinds of streams.</summary>
internal static class StreamKinds
{
    public static StreamKind KindOf(this StreamState stream) =>
        stream.IsJson ? StreamKind.Json
        : StreamEvents.IsText(stream.ContentType) ? StreamKind.Text
        : StreamKind.Binary;
}
