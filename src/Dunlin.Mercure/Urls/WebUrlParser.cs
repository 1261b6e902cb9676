using System.Globalization;

namespace Dunlin.Mercure.Urls;

/// <summary>One run of the URL parser: the states of the standard's state machine as methods, in the same order of decisions.</summary>
internal sealed class WebUrlParser(string input, WebUrl? baseUrl)
{
    private readonly string _text = Clean(input);

    public WebUrl? Parse()
    {
        var (main, fragment) = Split(_text, '#');
        fragment = fragment is null ? null : PercentEncoding.Encode(fragment, PercentEncoding.Fragment);
        var url = SchemeLength(main) is var length and > 0
            ? WithScheme(main[..length].ToLowerInvariant(), main[(length + 1)..])
            : Reference(main);
        return url is null ? null : url with { Fragment = fragment };
    }

    private WebUrl? WithScheme(string scheme, string rest)
    {
        if (scheme == "file")
            return File(rest);
        if (WebUrl.IsSpecialScheme(scheme))
        {
            if (baseUrl?.Scheme == scheme && !rest.StartsWith("//", StringComparison.Ordinal))
                return Relative(baseUrl, rest);
            return Authority(scheme, rest.TrimStart('/', '\\'));
        }
        if (rest.StartsWith("//", StringComparison.Ordinal))
            return Authority(scheme, rest[2..]);
        if (rest.StartsWith('/'))
            return WithPath(new WebUrl { Scheme = scheme }, [], rest);
        var (path, query) = Split(rest, '?');
        return WithQuery(
            new WebUrl
            {
                Scheme = scheme,
                Segments = null,
                OpaquePath = PercentEncoding.Encode(path, PercentEncoding.Control),
            },
            query
        );
    }

    private WebUrl? Reference(string rest)
    {
        if (baseUrl is null)
            return null;
        if (baseUrl.OpaquePath is not null)
            return rest.Length == 0 && _text.StartsWith('#') ? baseUrl : null;
        return baseUrl.Scheme == "file" ? File(rest) : Relative(baseUrl, rest);
    }

    private static WebUrl? Relative(WebUrl origin, string rest)
    {
        if (rest.Length == 0)
            return origin;
        if (IsSlash(rest[0], origin.IsSpecial))
        {
            if (rest.Length > 1 && IsSlash(rest[1], origin.IsSpecial))
                return Authority(origin.Scheme, origin.IsSpecial ? rest.TrimStart('/', '\\') : rest[2..]);
            return WithPath(origin with { Query = null }, [], rest);
        }
        return rest[0] == '?' ? WithQuery(origin, rest[1..]) : WithPath(origin with { Query = null }, Shorten(origin), rest);
    }

    private WebUrl? File(string rest)
    {
        var url = new WebUrl { Scheme = "file", Host = "" };
        var origin = baseUrl?.Scheme == "file" ? baseUrl : null;
        if (rest.Length > 1 && IsSlash(rest[0], true) && IsSlash(rest[1], true))
            return FileHost(url, rest[2..]);
        if (rest.Length > 0 && IsSlash(rest[0], true))
        {
            if (origin is null)
                return WithPath(url, [], rest);
            url = url with { Host = origin.Host };
            var drive = origin.Segments is [var first, ..] && IsDrive(first, isNormalized: true) ? first : null;
            return WithPath(url, drive is null || BeginsWithDrive(rest[1..]) ? [] : [drive], rest);
        }
        if (origin is null)
            return WithPath(url, [], rest);
        if (rest.Length == 0)
            return origin;
        if (rest[0] == '?')
            return WithQuery(origin, rest[1..]);
        return WithPath(origin with { Query = null }, BeginsWithDrive(rest) ? [] : Shorten(origin), rest);
    }

    private static WebUrl? FileHost(WebUrl url, string rest)
    {
        var end = rest.AsSpan().IndexOfAny('/', '\\', '?');
        var host = end < 0 ? rest : rest[..end];
        if (host.Length == 2 && IsDrive(host, isNormalized: false))
            return WithPath(url, [], rest);
        if (host.Length > 0)
        {
            if (WebHost.Parse(host, isOpaque: false) is not { } parsed)
                return null;
            url = url with { Host = parsed == "localhost" ? "" : parsed };
        }
        return WithPath(url, [], rest[host.Length..]);
    }

    private static WebUrl? Authority(string scheme, string rest)
    {
        var isSpecial = WebUrl.IsSpecialScheme(scheme);
        var end = isSpecial ? rest.AsSpan().IndexOfAny('/', '\\', '?') : rest.AsSpan().IndexOfAny('/', '?');
        var authority = end < 0 ? rest : rest[..end];
        rest = rest[authority.Length..];
        var url = new WebUrl { Scheme = scheme };
        if (authority.LastIndexOf('@') is var at and >= 0)
        {
            var (user, password) = Split(authority[..at], ':');
            url = url with
            {
                Username = PercentEncoding.Encode(user, PercentEncoding.UserInfo),
                Password = PercentEncoding.Encode(password, PercentEncoding.UserInfo),
            };
            authority = authority[(at + 1)..];
            if (authority.Length == 0)
                return null;
        }
        var colon = authority.IndexOf(':', authority.LastIndexOf(']') + 1);
        var host = colon < 0 ? authority : authority[..colon];
        if (host.Length == 0 && (isSpecial || colon >= 0))
            return null;
        if (Port(scheme, colon < 0 ? "" : authority[(colon + 1)..]) is not { } port)
            return null;
        var parsed = host.Length == 0 ? "" : WebHost.Parse(host, isOpaque: !isSpecial);
        if (parsed is null)
            return null;
        url = url with { Host = parsed, Port = port };
        return rest.Length == 0 && !isSpecial ? url : WithPath(url, [], rest);
    }

    /// <summary>Returns the port without leading zeros, empty for none or the scheme's default, or null if it is invalid.</summary>
    public static string? Port(string scheme, string text)
    {
        if (text.Length == 0)
            return "";
        if (!text.All(char.IsAsciiDigit) || text.TrimStart('0').Length > 5)
            return null;
        var port = int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
        var name = port.ToString(CultureInfo.InvariantCulture);
        return port > 65_535 ? null
            : name == WebUrl.DefaultPort(scheme) ? ""
            : name;
    }

    // The path state. `rest` may have a query; a leading slash separates it from the segments given.
    private static WebUrl WithPath(WebUrl url, IReadOnlyList<string> before, string rest)
    {
        var (path, query) = Split(rest, '?');
        if (path.Length > 0 && IsSlash(path[0], url.IsSpecial))
            path = path[1..];
        else if (path.Length == 0 && !url.IsSpecial && before.Count == 0)
            return WithQuery(url with { Segments = [] }, query);
        var segments = before.ToList();
        var parts = url.IsSpecial ? path.Split('/', '\\') : path.Split('/');
        for (var i = 0; i < parts.Length; i++)
            Add(segments, parts[i], isLast: i == parts.Length - 1, url.Scheme);
        return WithQuery(url with { Segments = segments, OpaquePath = null }, query);
    }

    private static void Add(List<string> segments, string part, bool isLast, string scheme)
    {
        if (IsDoubleDot(part))
        {
            if (segments.Count > 0 && !(scheme == "file" && segments.Count == 1 && IsDrive(segments[0], isNormalized: true)))
                segments.RemoveAt(segments.Count - 1);
            if (isLast)
                segments.Add("");
        }
        else if (IsSingleDot(part))
        {
            if (isLast)
                segments.Add("");
        }
        else
        {
            if (scheme == "file" && segments.Count == 0 && part.Length == 2 && IsDrive(part, isNormalized: false))
                part = part[..1] + ':';
            segments.Add(PercentEncoding.Encode(part, PercentEncoding.Path));
        }
    }

    private static WebUrl WithQuery(WebUrl url, string? query) =>
        url with
        {
            Query = query is null
                ? null
                : PercentEncoding.Encode(query, url.IsSpecial ? PercentEncoding.SpecialQuery : PercentEncoding.Query),
        };

    private static IReadOnlyList<string> Shorten(WebUrl url)
    {
        var segments = url.Segments!;
        if (segments.Count == 0 || (url.Scheme == "file" && segments.Count == 1 && IsDrive(segments[0], isNormalized: true)))
            return segments;
        return [.. segments.Take(segments.Count - 1)];
    }

    private static string Clean(string text) =>
        new([
            .. text.AsSpan()
                .Trim(" \0\x01\x02\x03\x04\x05\x06\x07\b\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")
                .ToString()
                .Where(c => c is not ('\t' or '\n' or '\r')),
        ]);

    private static int SchemeLength(string text)
    {
        if (text.Length == 0 || !char.IsAsciiLetter(text[0]))
            return 0;
        var end = text.AsSpan().IndexOfAnyExcept(SchemeCharacters);
        return end > 0 && text[end] == ':' ? end : 0;
    }

    private static readonly System.Buffers.SearchValues<char> SchemeCharacters = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."
    );

    private static (string Before, string? After) Split(string text, char at) =>
        text.IndexOf(at, StringComparison.Ordinal) is var index and >= 0 ? (text[..index], text[(index + 1)..]) : (text, null);

    private static bool IsSlash(char c, bool isSpecial) => c == '/' || (isSpecial && c == '\\');

    private static bool IsDoubleDot(string part) =>
        part.Length is 2 or 4 or 6 && part.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase) == "..";

    private static bool IsSingleDot(string part) => part == "." || part.Equals("%2e", StringComparison.OrdinalIgnoreCase);

    private static bool IsDrive(string text, bool isNormalized) =>
        text.Length == 2 && char.IsAsciiLetter(text[0]) && (text[1] == ':' || (!isNormalized && text[1] == '|'));

    private static bool BeginsWithDrive(string text) =>
        text.Length >= 2 && IsDrive(text[..2], isNormalized: false) && (text.Length == 2 || text[2] is '/' or '\\' or '?');
}
