using System.Text;
using System.Text.Json;

namespace Dunlin.Fuzz.Requests;

/// <summary>A JSON text as a tree of raw pieces, which can hold texts that no JSON writer produces.</summary>
internal sealed class JsonFuzz
{
    private string? _raw; // of a scalar
    private List<(string Name, JsonFuzz Value)>? _members; // names in their raw notation
    private List<JsonFuzz>? _items;

    private static readonly string[] Scalars =
    [
        "null",
        "true",
        "false",
        "0",
        "1",
        "2",
        "-1",
        "1.5",
        "1e400",
        "-1e400",
        "1e-400",
        "9007199254740993",
        "99999999999999999999",
        "-2147483649",
        "2147483648",
        "\"\"",
        "\"a\"",
        "\" \"",
        "\"abc\\ud83d\"",
        "\"\\udc00\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0000\"",
        "\"x\\r\\ny\"",
        "\"../../etc/passwd\"",
        "\"<a>&'\\\"</a>\"",
        "\"\\u202e\\u200f\"",
        "\"e\\u0301\"",
        "\"Ünal 🐦\"",
        "\"2026-02-30\"",
        "\"2026-03-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59.9999999Z\"",
        "\"0001-01-01T00:00:00Z\"",
        "\"2026-03-01T00:00:00\"",
        "\"12:30\"",
        "\"NaN\"",
        "\"-1\"",
        "\"1\"",
        "\"alice\"",
        "\"bob\"",
        "\"http://127.0.0.1/\"",
        "\"javascript:alert(1)\"",
        "\"dunlin.goodbye\"",
        "\"users/bob\"",
        "\"**\"",
        "\"a/b\"",
        "\"%2e%2e%2f\"",
        "\"*\"",
        "\"error\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "{\"a\":null}",
        "{\"\\ud83d\":1}",
        "{\"a\":1,\"a\":2}",
        "[1,\"a\",null,{}]",
    ];

    // Repeated items share their values, so a few nested repetitions would have more text than fits into memory.
    private const int MaxText = 1024 * 1024;
    private const int MaxPlaces = 10_000;

    private static readonly int[] Lengths = [41, 101, 201, 255, 300, 1_001, 5_000, 70_000];

    public static readonly string[] Names =
    [
        "title",
        "name",
        "topic",
        "type",
        "data",
        "transient",
        "idempotencyKey",
        "leaseId",
        "seconds",
        "wait",
        "fence",
        "to",
        "reason",
        "graceSeconds",
        "username",
        "password",
        "userId",
        "sessionId",
        "before",
        "renew",
        "files",
        "file_id",
        "xml_string",
        "new_version",
        "lease",
        "updates",
        "version",
        "leases",
        "toBranchId",
        "deviceId",
        "start",
        "end",
        "notes",
        "minutes",
        "taskId",
        "mode",
        "role",
        "expires_at",
        "quantity",
        "source_url",
        "description",
        "id",
        "args",
        "cookie",
        "message",
        "variant",
        "remarks",
        "status",
        "customerName",
        "targetDeviceId",
    ];

    public static JsonFuzz Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Of(document.RootElement);
    }

    /// <summary>Returns a random value.</summary>
    public static JsonFuzz Any(Random random, IReadOnlyList<string> known) =>
        random.Next(12) switch
        {
            0 => new JsonFuzz { _raw = $"\"{new string('x', Lengths[random.Next(Lengths.Length)])}\"" },
            1 => new JsonFuzz { _raw = Deep(random.Next(2) == 0 ? 40 : 62 + random.Next(4) * 500) },
            2 when known.Count > 0 => new JsonFuzz { _raw = JsonSerializer.Serialize(known[random.Next(known.Count)]) },
            3 => Object(random, known),
            _ => new JsonFuzz { _raw = Scalars[random.Next(Scalars.Length)] },
        };

    public static JsonFuzz Object(Random random, IReadOnlyList<string> known) =>
        new()
        {
            _members =
            [
                .. Enumerable
                    .Range(0, random.Next(5))
                    .Select(_ => (Names[random.Next(Names.Length)], new JsonFuzz { _raw = Scalars[random.Next(Scalars.Length)] })),
            ],
        };

    /// <summary>Sets the value of a path such as <c>a.b[0].c</c> and creates missing parents.</summary>
    public void Set(string path, JsonFuzz value)
    {
        var at = this;
        foreach (var step in path.Replace("[", ".[", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries).Take(8))
            at = step[0] == '[' ? at.Item(int.TryParse(step.Trim('[', ']'), out var index) ? Math.Min(index, 8) : 0) : at.Member(step);
        (at._raw, at._members, at._items) = (value._raw, value._members, value._items);
    }

    /// <summary>Changes one random place.</summary>
    public void Mutate(Random random, IReadOnlyList<string> known)
    {
        var places = new List<JsonFuzz>();
        Collect(places);
        var place = places[random.Next(places.Count)];
        switch (random.Next(8))
        {
            case 0 when place._members is { Count: > 0 } members:
                members.RemoveAt(random.Next(members.Count));
                break;
            case 1 when place._members is { Count: > 0 } members:
                members.Add(members[random.Next(members.Count)]);
                break;
            case 2 when place._members is { } members:
                members.Add((random.Next(4) == 0 ? "\\ud83d" : Names[random.Next(Names.Length)], Any(random, known)));
                break;
            case 3 when place._items is { } items:
                items.Add(Any(random, known));
                break;
            case 4 when place._items is { Count: > 0 } items:
                items.AddRange(Enumerable.Repeat(items[0], random.Next(3) == 0 ? 1_100 : 3));
                break;
            default:
                var value = Any(random, known);
                (place._raw, place._members, place._items) = (value._raw, value._members, value._items);
                break;
        }
    }

    /// <summary>Returns the text, cut after about 1 MiB.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Write(text);
        return text.ToString();
    }

    private static string Deep(int depth) => new string('[', depth) + new string(']', depth);

    private static JsonFuzz Of(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => new JsonFuzz
            {
                _members = [.. element.EnumerateObject().Select(member => (member.Name, Of(member.Value)))],
            },
            JsonValueKind.Array => new JsonFuzz { _items = [.. element.EnumerateArray().Select(Of)] },
            _ => new JsonFuzz { _raw = element.GetRawText() },
        };

    private JsonFuzz Member(string name)
    {
        (_raw, _items, _members) = (null, null, _members ?? []);
        foreach (var member in _members)
        {
            if (member.Name == name)
                return member.Value;
        }
        var value = new JsonFuzz { _raw = "null" };
        _members.Add((name, value));
        return value;
    }

    private JsonFuzz Item(int index)
    {
        (_raw, _members, _items) = (null, null, _items ?? []);
        while (_items.Count <= index)
            _items.Add(new JsonFuzz { _raw = "null" });
        return _items[index];
    }

    private void Collect(List<JsonFuzz> places)
    {
        places.Add(this);
        foreach (var value in (_members?.Select(member => member.Value) ?? []).Concat(_items ?? []).Take(50))
        {
            if (places.Count >= MaxPlaces)
                return;
            value.Collect(places);
        }
    }

    private void Write(StringBuilder text)
    {
        if (text.Length > MaxText)
            return;
        if (_members is not null)
        {
            text.Append('{');
            foreach (var (name, value) in _members.TakeWhile(_ => text.Length <= MaxText))
            {
                text.Append(text[^1] == '{' ? "\"" : ",\"").Append(name).Append("\":");
                value.Write(text);
            }
            text.Append('}');
        }
        else if (_items is not null)
        {
            text.Append('[');
            for (var i = 0; i < _items.Count && text.Length <= MaxText; i++)
            {
                if (i > 0)
                    text.Append(',');
                _items[i].Write(text);
            }
            text.Append(']');
        }
        else
        {
            text.Append(_raw);
        }
    }
}
