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
        var decoded = System.Text.RegularExpressions.Regex.Replace(
            path,
            "%[0-9A-Fa-f]{2}",
            match =>
                (char)Convert.ToByte(match.Value[1..], 16) is var c && (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~')
                    ? c.ToString()
                    : match.Value
        );
        return WebUrl.Parse("http://path" + decoded)?.Path ?? decoded;
    }
}
