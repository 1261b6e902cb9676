using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.UrlPatterns;

/// <summary>Makes the literal text of each component canonical, as the URL parser would: the URL Pattern standard, section 3.1.</summary>
internal static class PatternText
{
    public static string Protocol(string value) =>
        value.Length == 0 ? value
        : WebUrl.Parse(value + "://dummy.invalid") is { } url && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.')
            ? url.Scheme
        : throw Faulty(value, "protocol");

    public static string UserInfo(string value) => PercentEncoding.Encode(value, PercentEncoding.UserInfo);

    public static string Hostname(string value)
    {
        if (value.Length == 0)
            return value;
        // The host parser reads up to the first of these.
        var end = value.AsSpan().IndexOfAny('/', '?', '#');
        return WebHost.Parse(end < 0 ? value : value[..end], isOpaque: false) ?? throw Faulty(value, "host name");
    }

    public static string Ipv6Hostname(string value) =>
        value.All(c => char.IsAsciiHexDigit(c) || c is '[' or ']' or ':' or '.')
            ? value.ToLowerInvariant()
            : throw Faulty(value, "host name");

    /// <summary>The leading digits, because the port parser stops at the first other character.</summary>
    public static string Port(string value)
    {
        var digits = value.AsSpan().IndexOfAnyExceptInRange('0', '9') is var end and >= 0 ? value[..end] : value;
        return value.Length > 0 && digits.Length == 0
            ? throw Faulty(value, "port")
            : WebUrlParser.Port("", digits) ?? throw Faulty(value, "port");
    }

    /// <summary>A path of segments: dot segments are resolved, and the rest is percent-encoded.</summary>
    public static string Pathname(string value)
    {
        if (value.Length == 0)
            return value;
        // The prefix keeps the path parser from adding a slash of its own.
        var text = value[0] == '/' ? value : "/-" + value;
        var path = WebUrl
            .Parse("fake://fake-url" + text.Replace("?", "%3F", StringComparison.Ordinal).Replace("#", "%23", StringComparison.Ordinal))!
            .Path;
        // Dot segments may remove the prefix too.
        return value[0] == '/' ? path
            : path.Length > 2 ? path[2..]
            : "";
    }

    public static string OpaquePathname(string value) => PercentEncoding.Encode(value, PercentEncoding.Control);

    public static string Search(string value) => PercentEncoding.Encode(value, PercentEncoding.Query);

    public static string Hash(string value) => PercentEncoding.Encode(value, PercentEncoding.Fragment);

    /// <summary>Escapes the characters that have a meaning in patterns.</summary>
    public static string Escape(string text) =>
        string.Concat(text.Select(c => c is '+' or '*' or '?' or ':' or '{' or '}' or '(' or ')' or '\\' ? $"\\{c}" : c.ToString()));

    private static FormatException Faulty(string value, string component) => new($"'{value}' cannot be in the {component} of a URL.");
}
