using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Replicache.Pull;

/// <summary>The cookie that a client receives with a pull and sends with the next one: <c>{"order", "at", "of"}</c>. Immutable.</summary>
/// <remarks>
/// The client compares only the order, which must never decrease. <paramref name="At"/> is the position through which the client has all
/// changes, and <paramref name="Of"/> identifies the user. A cookie of another epoch or user is therefore recognised without state on the
/// server.
/// </remarks>
/// <param name="Order">A whole number of at most 2^53 - 1, the largest exact integer of JavaScript.</param>
/// <param name="At">Null if the cookie was not issued by this server and contains an order only.</param>
/// <param name="Of">A digest of the user id.</param>
internal sealed record PullCookie(long Order, Position? At, string Of)
{
    private const long MaxOrder = (1L << 53) - 1;

    /// <summary>Returns the cookie of a request, or null for a new client without cookie.</summary>
    /// <exception cref="Diagnostics.DunlinException">The cookie is neither null, nor a number, nor an object with an order.</exception>
    public static PullCookie? Read(JsonElement body)
    {
        if (!body.TryGetProperty("cookie", out var cookie))
            throw WireReader.Wrong("cookie", "null, a number or an object with an order");
        if (cookie.ValueKind == JsonValueKind.Null)
            return null;
        var isObject = cookie.ValueKind == JsonValueKind.Object;
        var number = isObject && cookie.TryGetProperty("order", out var member) ? member : cookie;
        if (number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out var order) || order is < 0 or > MaxOrder)
            throw WireReader.Wrong("cookie", "null, a number or an object with an order");
        return isObject && Text(cookie, "at") is { } at && Position.TryParse(at, out var position)
            ? new PullCookie(order, position, Text(cookie, "of") ?? "")
            : new PullCookie(order, null, "");
    }

    public static string Digest(string userId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(userId)).AsSpan(0, 6));

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("order"u8, Order);
        json.WriteString("at"u8, At.ToString());
        json.WriteString("of"u8, Of);
        json.WriteEndObject();
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
