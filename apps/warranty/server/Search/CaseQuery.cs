using Dunlin.Apps.Text;
using Dunlin.Apps.Warranty.Cases;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Warranty.Search;

/// <summary>
/// Selects and orders the cases of a branch: <c>?search=&amp;status=&amp;staff=&amp;sort=&amp;page=&amp;limit=</c>. <c>status</c> and
/// <c>staff</c> may be repeated: a case with any of the values is selected. An empty <c>staff</c> selects cases that nobody has taken.
/// </summary>
internal sealed record CaseQuery(
    string Search,
    IReadOnlyList<string> Statuses,
    IReadOnlyList<string> Staff,
    string Sort,
    int Page,
    int Limit
)
{
    private const int MaxSearch = 100;
    private const int MaxValues = 50;

    public static CaseQuery Of(HttpRequest request)
    {
        var search = ((string?)request.Query["search"] ?? "").Trim();
        if (search.Length > MaxSearch)
            throw new DunlinException(ErrorCode.InvalidField, $"'search' must have at most {MaxSearch} characters.", "search");
        var query = new CaseQuery(
            search,
            Values(request, "status"),
            Values(request, "staff"),
            (string?)request.Query["sort"] ?? "-createdAt",
            Number(request, "page", 1, 1_000_000),
            Number(request, "limit", 25, 100)
        );
        _ = query.OrderBy;
        return query;
    }

    /// <summary>The pattern for LIKE on <c>search_text</c>, with the escape character <c>\</c>; empty matches all.</summary>
    public string Pattern =>
        Search.Length == 0
            ? ""
            : "%"
                + FoldedText
                    .Fold(Search)
                    .Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("%", "\\%", StringComparison.Ordinal)
                    .Replace("_", "\\_", StringComparison.Ordinal)
                + "%";

    /// <summary>One of a fixed set of columns, so that no text of the request enters the SQL.</summary>
    public string OrderBy
    {
        get
        {
            var descending = Sort.StartsWith('-');
            var name = descending ? Sort[1..] : Sort;
            var column = name switch
            {
                "createdAt" => "id",
                "serviceNo" => "service_no",
                "cost" => "CAST(CASE cost WHEN '' THEN '0' ELSE cost END AS DECIMAL)",
                _ => CaseField.All.FirstOrDefault(f => f.IsSortable && string.Equals(f.Name, name, StringComparison.Ordinal))?.SortColumn
                    ?? throw new DunlinException(ErrorCode.InvalidField, $"Cases cannot be sorted by '{name}'.", "sort"),
            };
            return $"{column} {(descending ? "DESC" : "ASC")}, id {(descending ? "DESC" : "ASC")}";
        }
    }

    private static string[] Values(HttpRequest request, string name)
    {
        string[] values = [.. request.Query[name].Select(value => value ?? "").Distinct(StringComparer.Ordinal)];
        return values.Length <= MaxValues
            ? values
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'{name}' must have at most {MaxValues} values, not {values.Length}.",
                name
            );
    }

    private static int Number(HttpRequest request, string name, int fallback, int max)
    {
        var text = (string?)request.Query[name];
        if (text is null)
            return fallback;
        return int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= max
            ? number
            : throw new DunlinException(ErrorCode.InvalidField, $"'{name}' must be a number from 1 to {max}.", name);
    }
}
