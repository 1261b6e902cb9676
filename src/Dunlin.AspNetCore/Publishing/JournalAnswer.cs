using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Json;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Publishing;

/// <summary>Writes a page of the journal: <c>{events: [{position, topic, type, data, time}], position, hasMore, reset}</c>.</summary>
/// <remarks>Data is written as the stored bytes. Events of earlier versions may nest deeper than the current limit and are written
/// too.</remarks>
internal static class JournalAnswer
{
    /// <param name="context">The request.</param>
    /// <param name="page">The events.</param>
    /// <param name="position">The position after which the next page starts.</param>
    /// <param name="reset">The reason for missing events before the first one. Null if none are missing.</param>
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
        // Library code can append data that is not JSON. Streams send such data as text, and so does a page.
        if (entry.Format == EventFormat.Binary)
            json.WriteBase64StringValue(entry.Data.Span);
        else if (entry.Format == EventFormat.Json && IsJson(entry.Data.Span))
            json.WriteRawValue(entry.Data.Span, skipInputValidation: true);
        else
            json.WriteStringValue(Encoding.UTF8.GetString(entry.Data.Span));
        json.WriteString("time"u8, entry.Time);
        WriteExtra(json, entry);
        json.WriteEndObject();
    }

    // Most events have none of these members.
    private static void WriteExtra(Utf8JsonWriter json, DunlinEvent entry)
    {
        if (entry.AlsoOn.Count > 0)
        {
            json.WriteStartArray("alsoOn"u8);
            foreach (var topic in entry.AlsoOn)
                json.WriteStringValue(topic.Value);
            json.WriteEndArray();
        }
        if (entry.Format != EventFormat.Json)
            json.WriteString("format"u8, entry.Format == EventFormat.Text ? "text" : "base64");
        if (entry.IsRestricted)
            json.WriteBoolean("restricted"u8, true);
        if (entry.ForeignId is { } id)
            json.WriteString("foreignId"u8, id);
        if (entry.Headers.Count == 0)
            return;
        json.WriteStartObject("headers"u8);
        foreach (var (name, value) in entry.Headers)
            json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static bool IsJson(ReadOnlySpan<byte> data)
    {
        try
        {
            var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = JsonText.MaxStoredDepth });
            while (reader.Read())
            {
                // Read throws on invalid JSON.
            }
            return Utf8.IsValid(data);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
