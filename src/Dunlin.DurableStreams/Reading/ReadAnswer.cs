using System.Globalization;
using Dunlin.DurableStreams.Wire;
using Microsoft.AspNetCore.Http;

namespace Dunlin.DurableStreams.Reading;

/// <summary>The answer to a read: its status, header fields and body. Immutable.</summary>
internal sealed record ReadAnswer(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, IReadOnlyList<ReadOnlyMemory<byte>> Body)
{
    // Requests carry credentials, so shared caches must not keep answers. A full page never changes.
    private const string FullPage = "private, max-age=60, stale-while-revalidate=300";
    private const string OpenPage = "private, no-cache";
    private const string NoStore = "no-store";

    private static readonly ReadOnlyMemory<byte> Comma = ","u8.ToArray();
    private static readonly ReadOnlyMemory<byte> ArrayStart = "["u8.ToArray();
    private static readonly ReadOnlyMemory<byte> ArrayEnd = "]"u8.ToArray();

    /// <summary>Returns the answer with a page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="epoch">The epoch of the journal.</param>
    /// <param name="after">The offset that was requested; null for the tail.</param>
    /// <param name="cursor">The cursor of a long-poll; null for any other read.</param>
    public static ReadAnswer Of(StreamPage page, uint epoch, long? after, string? cursor)
    {
        var headers = new List<KeyValuePair<string, string>>(8) { Field(StreamFields.NextOffset, StreamOffset.Format(epoch, page.Next)) };
        if (!page.HasMore)
            headers.Add(Field(StreamFields.UpToDate, StreamFields.True));
        if (page.IsEnd)
            headers.Add(Field(StreamFields.Closed, StreamFields.True));
        if (cursor is not null)
            headers.Add(Field(StreamFields.Cursor, cursor));
        var isEmptyPoll = cursor is not null && page.Items.Count == 0;
        headers.Add(
            Field(
                "Cache-Control",
                after is null || isEmptyPoll ? NoStore
                    : page.HasMore ? FullPage
                    : OpenPage
            )
        );
        if (isEmptyPoll)
            return new ReadAnswer(StatusCodes.Status204NoContent, headers, []);
        if (after is { } start)
            headers.Add(Field("ETag", TagOf(page, start)));
        headers.Add(Field("Content-Type", page.Stream.ContentType));
        return new ReadAnswer(StatusCodes.Status200OK, headers, BodyOf(page));
    }

    /// <summary>Gets the entity tag; null for none.</summary>
    public string? Tag => Headers.FirstOrDefault(static pair => pair.Key == "ETag").Value;

    /// <summary>Writes the answer.</summary>
    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.StatusCode = Status;
        foreach (var (name, value) in Headers)
            response.Headers[name] = value;
        if (Status != StatusCodes.Status200OK)
            return;
        response.ContentLength = Body.Sum(static part => (long)part.Length);
        for (var i = 0; i < Body.Count; i++)
            Copy(response, Body[i].Span);
        await response.BodyWriter.FlushAsync(cancellationToken);
    }

    private static void Copy(HttpResponse response, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
            return;
        bytes.CopyTo(response.BodyWriter.GetSpan(bytes.Length));
        response.BodyWriter.Advance(bytes.Length);
    }

    private static List<ReadOnlyMemory<byte>> BodyOf(StreamPage page)
    {
        var isJson = page.Stream.IsJson;
        var body = new List<ReadOnlyMemory<byte>>((2 * page.Items.Count) + 2);
        if (isJson)
            body.Add(ArrayStart);
        for (var i = 0; i < page.Items.Count; i++)
        {
            if (isJson && i > 0)
                body.Add(Comma);
            body.Add(page.Items[i].Data);
        }
        if (isJson)
            body.Add(ArrayEnd);
        return body;
    }

    // The closed state is part of the tag: a cached answer must not hide the end of the stream.
    private static string TagOf(StreamPage page, long after) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{page.Stream.Id:x}:{after}:{page.Next}{(page.IsEnd ? ":c" : "")}\"");

    private static KeyValuePair<string, string> Field(string name, string value) => new(name, value);
}
