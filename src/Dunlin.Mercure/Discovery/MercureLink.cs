using System.Text;

namespace Dunlin.Mercure.Discovery;

/// <summary>Writes the <c>Link</c> header that tells readers of a resource where its updates are: RFC 8288.</summary>
internal static class MercureLink
{
    public static string Of(string hub, string? lastEventId = null, string? type = null, string? contentType = null)
    {
        var link = new StringBuilder($"<{hub}>; rel=\"mercure\"");
        Append(link, "last-event-id", lastEventId);
        Append(link, "type", type);
        Append(link, "content-type", contentType);
        return link.ToString();
    }

    private static void Append(StringBuilder link, string name, string? value)
    {
        if (value is not null)
            link.Append("; ")
                .Append(name)
                .Append("=\"")
                .Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal))
                .Append('"');
    }
}
