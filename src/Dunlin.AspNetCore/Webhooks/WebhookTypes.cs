namespace Dunlin.Webhooks;

/// <summary>Filters of event types: names, or prefixes that end in <c>*</c>.</summary>
internal static class WebhookTypes
{
    public static bool Match(IReadOnlyList<string> filters, string type)
    {
        if (filters.Count == 0)
            return true;
        foreach (var filter in filters)
        {
            if (filter.EndsWith('*') ? type.AsSpan().StartsWith(filter.AsSpan(0, filter.Length - 1)) : filter == type)
                return true;
        }
        return false;
    }
}
