using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Writing;
using Dunlin.Fuzz.Engine;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Publishing;
using Dunlin.Topics;

namespace Dunlin.Fuzz.Targets;

/// <summary>JSON texts, publish bodies, grants and times.</summary>
internal static class JsonTargets
{
    public static FuzzTarget Texts() =>
        new ParserTarget("json", ReadText, "Dunlin.Json.JsonText", "Dunlin.DurableStreams.Writing.JsonMessages", "Dunlin.Topics.Grants")
        {
            Words =
            [
                "\"\\ud83d\"",
                "\\u0000",
                "\\udc00",
                "\\ud83d\\ude00",
                "1e400",
                "{\"a\":1,\"a\":2}",
                "[",
                "{\"\":",
                "\"subscribe\"",
                "\"publish\"",
                "\"**\"",
                "//",
                "\u00ef\u00bb\u00bf",
                "null",
                ",",
            ],
            IsJson = true,
        };

    public static FuzzTarget Publish() =>
        new ParserTarget(
            "publish",
            ReadPublish,
            "Dunlin.Publishing.PublishParser",
            "Dunlin.Journal.EventDraft",
            "Dunlin.Journal.AppendRules"
        )
        {
            Words =
            [
                "\"topic\":\"a/b\"",
                "\"type\":\"x\"",
                "\"data\":",
                "\"transient\":true",
                "\"idempotencyKey\":\"k\"",
                "\\u0074opic",
                "\"lease.x\"",
                "\"open\"",
                "\\ud83d",
                "[",
                "{",
                "},{",
                "null",
            ],
            IsJson = true,
        };

    public static FuzzTarget Times() =>
        new ParserTarget("times", ReadTime, "Dunlin.Json.TimeText")
        {
            Words = ["2026-03-01T09:30:00+01:00", "Z", "+0100", "-00:00", ".1234567", ",5", " ", "T24:00", ":60", "\u0661", "\n"],
            MaxLength = 64,
        };

    private static void ReadText(byte[] input)
    {
        var data = JsonText.Find(input, JsonTextRules.Data);
        var document = JsonText.Find(input, JsonTextRules.Document);
        var (isData, isDocument) = Reference(input);
        var shown = Encoding.UTF8.GetString(input);
        FindingException.Require((data is null) == isData, "data is checked otherwise than by the JSON reader", $"{shown}: {data?.Reason}");
        FindingException.Require(
            (document is null) == isDocument,
            "document is checked otherwise than by the JSON reader",
            $"{shown}: {document?.Reason}"
        );
        FindingException.Require(JsonText.IsUnicode(JsonText.Repair(input).Span), "repaired text has a surrogate", shown);
        if (data is null)
        {
            var whole = JsonDocument.Parse(input, new JsonDocumentOptions { MaxDepth = JsonText.MaxDepth });
            using (whole)
            {
                var items = JsonText.Items(input);
                var expected = whole.RootElement.ValueKind == JsonValueKind.Array ? whole.RootElement.GetArrayLength() : (int?)null;
                FindingException.Require(items?.Count == expected, "array is split otherwise", shown);
                FindingException.Require(
                    (JsonText.Members(input) is not null) == (whole.RootElement.ValueKind == JsonValueKind.Object),
                    "object is split otherwise",
                    shown
                );
            }
        }
        if (Grants.TryParse(shown, out var grants))
            FindingException.Require(Grants.TryParse(grants.ToJson(), out _), "grants are not read back", shown);
        try
        {
            foreach (var message in JsonMessages.Read(input, 100))
                JsonDocument.Parse(message, new JsonDocumentOptions { MaxDepth = 64 }).Dispose();
        }
        catch (DunlinException)
        {
            // Refused.
        }
    }

    // What System.Text.Json and the rules of docs/reference/http.md say, by another way: parse first, then visit all values.
    private static (bool IsData, bool IsDocument) Reference(byte[] input)
    {
        if (!Utf8.IsValid(input))
            return (false, false);
        try
        {
            using var document = JsonDocument.Parse(input, new JsonDocumentOptions { MaxDepth = JsonText.MaxDepth });
            var (isUnicode, isDocument) = (true, true);
            Visit(document.RootElement, ref isUnicode, ref isDocument);
            return (isUnicode, isUnicode && isDocument);
        }
        catch (JsonException)
        {
            return (false, false);
        }
    }

    private static void Visit(JsonElement element, ref bool isUnicode, ref bool isDocument)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                Text(() => element.GetString()!, ref isUnicode, ref isDocument);
                break;
            case JsonValueKind.Number:
                isDocument &= double.IsFinite(element.GetDouble());
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Visit(item, ref isUnicode, ref isDocument);
                break;
            case JsonValueKind.Object:
                var names = new HashSet<string>(StringComparer.Ordinal);
                foreach (var member in element.EnumerateObject())
                {
                    if (Text(() => member.Name, ref isUnicode, ref isDocument) is { } name)
                        isDocument &= names.Add(name);
                    Visit(member.Value, ref isUnicode, ref isDocument);
                }
                break;
        }
    }

    private static string? Text(Func<string> read, ref bool isUnicode, ref bool isDocument)
    {
        try
        {
            var text = read();
            isDocument &= !text.Contains('\0', StringComparison.Ordinal);
            return text;
        }
        catch (InvalidOperationException)
        {
            isUnicode = false;
            return null;
        }
    }

    private static void ReadPublish(byte[] input)
    {
        if (!Utf8.IsValid(input))
            return; // the endpoint refuses it before
        List<PublishItem> items;
        try
        {
            items = PublishParser.Parse(input, new PublishOptions(), new EventOrigin("alice"));
        }
        catch (DunlinException)
        {
            return;
        }
        using var whole = JsonDocument.Parse(input);
        var count = whole.RootElement.ValueKind == JsonValueKind.Array ? whole.RootElement.GetArrayLength() : 1;
        FindingException.Require(items.Count == count, "events are lost or added", $"{items.Count} of {count}");
        foreach (var item in items)
        {
            FindingException.Require(TopicName.TryParse(item.Draft.Topic.Value, out _), "invalid topic accepted", item.Draft.Topic.Value);
            var fault = JsonText.Find(item.Draft.Data.Span, JsonTextRules.Data);
            FindingException.Require(
                fault is null,
                "invalid data accepted",
                $"{Encoding.UTF8.GetString(item.Draft.Data.Span)}: {fault?.Reason}"
            );
        }
    }

    private static void ReadTime(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        try
        {
            var time = TimeText.Parse(text, "time");
            var written = time.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
            FindingException.Require(TimeText.Parse(written, "time").EqualsExact(time), "time is not read back", $"{text} {written}");
            FindingException.Require(TimeText.ParseQuery(text, "time").EqualsExact(time), "a query reads another time", text);
        }
        catch (DunlinException)
        {
            // Refused.
        }
        try
        {
            TimeText.ParseQuery(text, "time");
        }
        catch (DunlinException)
        {
            // Refused.
        }
    }
}
