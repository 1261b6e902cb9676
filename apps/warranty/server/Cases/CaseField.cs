using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Warranty.Cases;

/// <summary>
/// One editable field of a case: its wire name, its column and its valid values. All values are texts in the database; an empty text means
/// no value.
/// </summary>
internal sealed record CaseField(
    string Name,
    string Column,
    Func<JsonElement, string> Read,
    bool IsSortable = true,
    bool HasSortKey = false
)
{
    private static readonly FrozenSet<string> Statuses = new[] { "IN_QUEUE", "IN_PROGRESS", "WAITING_FOR", "COMPLETED" }.ToFrozenSet(
        StringComparer.Ordinal
    );

    public static IReadOnlyList<CaseField> All { get; } =
    [
        Text("customerName", "customer_name", 100),
        Text("customerContact", "customer_contact", 40),
        new("customerEmail", "customer_email", value => Email("customerEmail", value), HasSortKey: true),
        Text("address", "address", 300),
        new("purchaseDate", "purchase_date", value => Date("purchaseDate", value)),
        Text("invoice", "invoice", 60),
        new("status", "status", value => Status("status", value)),
        Text("receivedItems", "received_items", 1_000, isSortable: false),
        Text("issues", "issues", 4_000, isSortable: false),
        Text("solutions", "solutions", 4_000, isSortable: false),
        Text("remarks", "remarks", 4_000, isSortable: false),
        new("cost", "cost", value => Cost("cost", value)),
        Text("staff", "staff", 80),
    ];

    /// <summary>The column to sort by.</summary>
    public string SortColumn => HasSortKey ? Column + "_sort" : Column;

    private static readonly FrozenDictionary<string, CaseField> ByName = All.ToFrozenDictionary(f => f.Name, StringComparer.Ordinal);

    public static bool Exists(string name) => ByName.ContainsKey(name);

    public static CaseField Find(string name) =>
        ByName.GetValueOrDefault(name)
        ?? throw new DunlinException(ErrorCode.UnknownField, $"A case has no field '{name}' that can be edited.", name);

    private static CaseField Text(string name, string column, int max, bool isSortable = true) =>
        new(
            name,
            column,
            value =>
            {
                var text = AsText(name, value);
                return text.Length <= max ? text : throw Wrong(name, $"at most {max} characters, not {text.Length}");
            },
            isSortable,
            HasSortKey: isSortable
        );

    private static string AsText(string name, JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String when value.GetString() is { } text && !text.Contains('\0') => text,
            JsonValueKind.Null => "",
            _ => throw Wrong(name, "a text"),
        };

    private static string Email(string name, JsonElement value)
    {
        var text = AsText(name, value);
        if (text.Length > 254)
            throw Wrong(name, "at most 254 characters");
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var plausible = text.Length == 0 || (at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.Any(char.IsWhiteSpace));
        return plausible ? text : throw Wrong(name, "an e-mail address");
    }

    private static string Date(string name, JsonElement value)
    {
        var text = AsText(name, value);
        if (text.Length == 0 || DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return text;
        var hasForm = text.Length == 10 && text.Select((c, i) => i is 4 or 7 ? c == '-' : char.IsAsciiDigit(c)).All(fits => fits);
        throw hasForm
            ? new DunlinException(ErrorCode.InvalidField, $"'{name}' is '{text}', which is not a day of the calendar.", name)
            : Wrong(name, "a date like 2026-01-31");
    }

    private static string Status(string name, JsonElement value)
    {
        var text = AsText(name, value);
        return Statuses.Contains(text) ? text : throw Wrong(name, string.Join(" or ", Statuses.Order(StringComparer.Ordinal)));
    }

    private static string Cost(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.String && value.GetString() is ""))
            return "";
        var isRead =
            value.ValueKind == JsonValueKind.String
                ? Amount.TryRead(value.GetString()!, out var cost)
                : decimal.TryParse(value.GetRawText(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out cost);
        return isRead && cost < 100_000_000m && decimal.Round(cost, 2) == cost
            ? cost.ToString("0.00", CultureInfo.InvariantCulture)
            : throw Wrong(
                name,
                "an amount from 0 to 99999999.99 with at most two decimals after a point or a comma, such as 1234.50 or 1.234,50"
            );
    }

    private static DunlinException Wrong(string name, string expected) =>
        new(ErrorCode.InvalidField, $"'{name}' must be {expected}.", name);
}
