using System.Globalization;
using Dunlin.Journal;
using Microsoft.AspNetCore.Http;

namespace Dunlin.DurableStreams.Wire;

/// <summary>Writes the header fields of answers.</summary>
internal static class StreamAnswers
{
    /// <summary>Sets the fields that protect browsers; on errors too.</summary>
    public static void ApplySecurity(HttpResponse response)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
    }

    /// <summary>Sets the tail and the state of a stream.</summary>
    public static void ApplyTail(HttpResponse response, IJournal journal, StreamState stream)
    {
        response.Headers[StreamFields.NextOffset] = StreamOffset.Format(journal.Head.Epoch, stream.Tail);
        if (stream.IsClosed)
            response.Headers[StreamFields.Closed] = StreamFields.True;
    }

    /// <summary>Sets the end of a stream.</summary>
    public static void ApplyExpiry(HttpResponse response, StreamState stream)
    {
        if (stream.TimeToLive is { } life)
            response.Headers[StreamFields.TimeToLive] = ((long)life.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (stream.ExpiresAt is { } end)
            response.Headers[StreamFields.ExpiresAt] = end.UtcDateTime.ToString(
                "yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                CultureInfo.InvariantCulture
            );
    }

    public static void Apply(HttpResponse response, string name, long number) =>
        response.Headers[name] = number.ToString(CultureInfo.InvariantCulture);
}
