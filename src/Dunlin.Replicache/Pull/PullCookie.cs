using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.Journal;

namespace Dunlin.Replicache.Pull;

/// <summary>
/// What a client keeps of a pull and sends with the next: <c>{"order", "at", "of"}</c>. The client looks at the order alone,
/// which never goes back; <paramref name="At"/> is the position through which it knows everything, and
/// <paramref name="Of"/> whose data that was. So a cookie of another history of the journal, or of another user, is
/// recognised by itself, and nothing has to be remembered about what was sent to whom.
/// </summary>
/// <param name="Order">Whole, at most 2^53 - 1, as numbers of JavaScript are exact up to there.</param>
/// <param name="At">Null where the cookie is not one of ours, and its order is all there is to know.</param>
/// <param name="Of">A digest of the user id.</param>
internal sealed record PullCookie(long Order, Position? At, string Of)
{
    private const long MaxOrder = (1L << 53) - 1;

    /// <summary>The cookie of a request; null for none, which is what a new client has.</summary>
    /// <exception cref="Diagnostics.DunlinException">It is no cookie: neither a number nor an object with an order.</exception>
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
