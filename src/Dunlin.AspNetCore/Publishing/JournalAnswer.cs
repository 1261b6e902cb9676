using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Json;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Publishing;

/// <summary>
/// Writes a page of the journal: <c>{events: [{position, topic, type, data, time}], position, hasMore, reset}</c>. Data goes out as the
/// bytes that came in: events that earlier versions took are told as well, however deep they are nested.
/// </summary>
internal static class JournalAnswer
{
    /// <param name="context">The request.</param>
    /// <param name="page">The events.</param>
    /// <param name="position">Ask for the next page after this.</param>
    /// <param name="reset">Why events are missing before the first; null where none are.</param>
    public static async Task WriteAsync(HttpContext context, JournalPage page, Position position, ResetReason? reset)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("events"u8);
            foreach (var entry in page.Events)
                Write(json, entry);
            json.WriteEndArray();
            json.WriteString("position"u8, position.ToString());
            json.WriteBoolean("hasMore"u8, page.HasMore);
            json.WriteString("reset"u8, reset is null ? null : JsonNamingPolicy.CamelCase.ConvertName(reset.Value.ToString()));
            json.WriteEndObject();
        }
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    private static void Write(Utf8JsonWriter json, DunlinEvent entry)
    {
        json.WriteStartObject();
        json.WriteString("position"u8, entry.Position.ToString());
        json.WriteString("topic"u8, entry.Topic.Value);
        json.WriteString("type"u8, entry.Type);
        json.WritePropertyName("data"u8);
        // Only the library can append what is no JSON. Streams hand it on as text, and so does a page.
        if (IsJson(entry.Data.Span))
            json.WriteRawValue(entry.Data.Span, skipInputValidation: true);
        else
            json.WriteStringValue(Encoding.UTF8.GetString(entry.Data.Span));
        json.WriteString("time"u8, entry.Time);
        json.WriteEndObject();
    }

    private static bool IsJson(ReadOnlySpan<byte> data)
    {
        try
        {
            var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = JsonText.MaxStoredDepth });
            while (reader.Read())
            {
                // Reading is what finds a fault.
            }
            return Utf8.IsValid(data);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
