using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Diagnostics;
using Dunlin.Outbound;

namespace Dunlin.Apps.Wishlists;

/// <summary>Validates and normalizes the values that users and clients send.</summary>
internal static class WireText
{
    /// <summary>Maximum of bytes of a request body.</summary>
    public const int MaxBody = 32 * 1024;

    // No settings of this server: they open its own network to its fetcher, not to the browsers of members.
    private static readonly OutboundRules Public = new([]);

    private static WishlistLimits Limits => WishlistLimits.Shared;

    public static string Name(string? text) => Line(text, Limits.ListName, "name");

    public static string Title(string? text) => Line(text, Limits.Title, "title");

    /// <summary>Validates a description; null if empty.</summary>
    public static string? Description(string? text)
    {
        var trimmed = text?.Trim();
        if (string.IsNullOrEmpty(trimmed))
            return null;
        return trimmed.Length <= Limits.Description && IsText(trimmed, allowLines: true)
            ? trimmed
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'description' must have at most {Limits.Description} characters.",
                "description"
            );
    }

    /// <summary>
    /// Validates an address; null if empty. The fetcher checks later whether it may be fetched, because that depends on the resolved
    /// addresses.
    /// </summary>
    public static string? Url(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        return PageAddress.Parse(text) is not null
            ? text.Trim()
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'source_url' must be an http or https address of at most {Limits.Address} characters, without a user name.",
                "source_url"
            );
    }

    public static int Quantity(int quantity) =>
        quantity >= 1 && quantity <= Limits.Quantity
            ? quantity
            : throw new DunlinException(ErrorCode.InvalidField, $"'quantity' must be a number from 1 to {Limits.Quantity}.", "quantity");

    /// <summary>Validates a price; null for none.</summary>
    public static decimal? Price(decimal? price) =>
        price is null || (price >= 0 && price <= Limits.Price && decimal.Round(price.Value, 3) == price)
            ? price
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'price' must be a number from 0 to {Limits.Price} with at most 3 decimals.",
                "price"
            );

    /// <summary>Validates a currency; null for none.</summary>
    public static string? Currency(string? code) =>
        code is null or { Length: 3 } && code?.All(char.IsAsciiLetterUpper) != false
            ? code
            : throw new DunlinException(ErrorCode.InvalidField, "'currency' must be an ISO 4217 code such as EUR.", "currency");

    /// <summary>
    /// Validates the address of a picture; null if empty. Threat: the browser of each member fetches it, so it must not lead into their
    /// own networks.
    /// </summary>
    public static string? Image(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        return PageAddress.Parse(text) is { Scheme: "https" } image && Public.AllowsHost(image)
            ? text.Trim()
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'image_url' must be a public https address of at most {Limits.Address} characters, without a user name.",
                "image_url"
            );
    }

    /// <summary>Validates a priority; null for the normal one.</summary>
    public static string? Priority(string? priority) =>
        priority is null or "high" or "low"
            ? priority
            : throw new DunlinException(ErrorCode.InvalidField, "'priority' must be high or low, or absent.", "priority");

    /// <summary>Validates a sort key; null for none. A key that ends with the lowest digit would have no key before it.</summary>
    public static string? Order(string? order) =>
        order is null || (order.Length >= 1 && order.Length <= Limits.Order && order.All(char.IsAsciiLetterOrDigit) && order[^1] != '0')
            ? order
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'order' must have 1 to {Limits.Order} ASCII letters and digits and must not end with 0.",
                "order"
            );

    /// <summary>Validates a client-chosen id.</summary>
    public static string Id(string? id, string field = "id") =>
        id is { Length: >= 1 and <= 40 } && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? id
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must have 1 to 40 letters, digits, - and _.", field);

    public static string NewId() => Guid.CreateVersion7().ToString("N");

    /// <summary>Returns the title of an item until its page was read: the page's host without <c>www.</c></summary>
    public static string HostOf(string url) => WithoutWww(PageAddress.Parse(url)?.IdnHost ?? "");

    /// <summary>Whether a title equals the host of the address, in any notation of a client.</summary>
    public static bool IsHost(string title, string url) =>
        PageAddress.Parse(url) is { } address
        && (
            Same(title, address.IdnHost)
            || Same(title, address.Host)
            || Same(title, WithoutWww(address.IdnHost))
            || Same(title, WithoutWww(address.Host))
        );

    private static string WithoutWww(string host) => host.StartsWith("www.", StringComparison.OrdinalIgnoreCase) ? host[4..] : host;

    private static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);

    private static string Line(string? text, int maxLength, string field)
    {
        // A document of a client may omit the field.
        var trimmed = text?.Trim() ?? "";
        return trimmed.Length >= 1 && trimmed.Length <= maxLength && IsText(trimmed, allowLines: false)
            ? trimmed
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must be one line of 1 to {maxLength} characters.", field);
    }

    private static bool IsText(string text, bool allowLines) =>
        text.All(c => !char.IsControl(c) || (allowLines && (c is '\n' or '\r' or '\t')));
}
