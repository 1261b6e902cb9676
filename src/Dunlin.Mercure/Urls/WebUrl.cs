namespace Dunlin.Mercure.Urls;

/// <summary>A URL as browsers parse it: the WHATWG URL standard, section 4.4. Immutable.</summary>
/// <remarks>
/// <see cref="Uri"/> follows RFC 3986 and differs where it matters here: backslashes, dot segments, empty hosts and schemes without
/// slashes. Domains outside ASCII are mapped with IDNA 2003, which is what this runtime has.
/// </remarks>
internal sealed record WebUrl
{
    private readonly string _path = "";

    /// <summary>The scheme in lower case, without the colon.</summary>
    public required string Scheme { get; init; }

    public string Username { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>The serialized host; null if the URL has none.</summary>
    public string? Host { get; init; }

    /// <summary>The port as decimal text; empty for the scheme's default.</summary>
    public string Port { get; init; } = "";

    /// <summary>The segments of a path that begins with a slash; null for an opaque path.</summary>
    public IReadOnlyList<string>? Segments
    {
        get;
        init
        {
            field = value;
            // Joined once: patterns of all readers compare it with every update.
            _path = value is null ? "" : string.Concat(value.Select(static segment => "/" + segment));
        }
    } = [];

    /// <summary>The path of a URL such as <c>mailto:ann@example.com</c>; null for a path of segments.</summary>
    public string? OpaquePath { get; init; }

    /// <summary>The query without the question mark; null if there is none.</summary>
    public string? Query { get; init; }

    /// <summary>The fragment without the number sign; null if there is none.</summary>
    public string? Fragment { get; init; }

    public string Path => OpaquePath ?? _path;

    public bool IsSpecial => IsSpecialScheme(Scheme);

    /// <summary>Parses a URL, or a reference against a base URL. Returns null if the text is neither.</summary>
    public static WebUrl? Parse(string text, WebUrl? baseUrl = null) => new WebUrlParser(text, baseUrl).Parse();

    public static bool IsSpecialScheme(string scheme) => scheme is "http" or "https" or "ws" or "wss" or "ftp" or "file";

    /// <summary>Returns the default port of a scheme as text; null if it has none.</summary>
    public static string? DefaultPort(string scheme) =>
        scheme switch
        {
            "http" or "ws" => "80",
            "https" or "wss" => "443",
            "ftp" => "21",
            _ => null,
        };
}
