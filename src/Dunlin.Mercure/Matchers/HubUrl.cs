using System.Text;
using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.Matchers;

/// <summary>The URL of the hub: the base of relative topics and patterns, and the owner of the reserved namespace.</summary>
internal sealed class HubUrl
{
    private readonly string _path;

    /// <exception cref="ArgumentException">The text is no absolute URL with a path.</exception>
    public HubUrl(string url)
    {
        Url = WebUrl.Parse(url) is { OpaquePath: null } parsed
            ? parsed
            : throw new ArgumentException($"'{url}' is not an absolute URL. Example: https://example.com/.well-known/mercure", nameof(url));
        _path = Normal(Url.Path);
    }

    public WebUrl Url { get; }

    /// <summary>Returns whether a topic is in the namespace of the hub's own resources, at any scheme and host.</summary>
    /// <remarks>Only the path counts, so that no other spelling and no absolute URL forges a subscription event.</remarks>
    public bool IsReserved(Topic topic)
    {
        if (topic.Url is not { OpaquePath: null } url)
            return false;
        var path = Normal(url.Path);
        return path == _path || path.StartsWith(_path + "/", StringComparison.Ordinal);
    }

    // Decodes what needs no encoding (RFC 3986, section 2.3), then resolves the dot segments that this makes.
    private static string Normal(string path)
    {
        var result = new StringBuilder(path.Length);
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%' && i + 2 < path.Length && Octet(path[i + 1], path[i + 2]) is { } c && IsUnreserved(c))
            {
                result.Append(c);
                i += 2;
            }
            else
                result.Append(path[i]);
        }
        var decoded = result.ToString();
        return WebUrl.Parse("http://path" + decoded)?.Path ?? decoded;
    }

    private static char? Octet(char high, char low) =>
        char.IsAsciiHexDigit(high) && char.IsAsciiHexDigit(low) ? (char)Convert.ToByte($"{high}{low}", 16) : null;

    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';
}
