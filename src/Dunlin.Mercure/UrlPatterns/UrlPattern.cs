using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.UrlPatterns;

/// <summary>
/// A URL pattern of the WHATWG URL Pattern standard, without the option <c>ignoreCase</c>. Matches in time linear in the length of the URL.
/// Immutable and thread safe.
/// </summary>
internal sealed class UrlPattern
{
    private static readonly string[] SpecialSchemes = ["http", "https", "ws", "wss", "ftp", "file"];

    private readonly Component _protocol;
    private readonly Component _username;
    private readonly Component _password;
    private readonly Component _hostname;
    private readonly Component _port;
    private readonly Component _pathname;
    private readonly Component _search;
    private readonly Component _hash;

    private UrlPattern(PatternComponents given)
    {
        _protocol = Component.Of(given.Protocol, PatternOptions.Default, PatternText.Protocol);
        _username = Component.Of(given.Username, PatternOptions.Default, PatternText.UserInfo);
        _password = Component.Of(given.Password, PatternOptions.Default, PatternText.UserInfo);
        var isIpv6 = given.Hostname is { Length: > 1 } host && (host[0] == '[' || host[..2] is "{[" or "\\[");
        _hostname = Component.Of(given.Hostname, PatternOptions.Hostname, isIpv6 ? PatternText.Ipv6Hostname : PatternText.Hostname);
        _port = Component.Of(given.Port, PatternOptions.Default, PatternText.Port);
        _pathname = SpecialSchemes.Any(_protocol.IsMatch)
            ? Component.Of(given.Pathname, PatternOptions.Pathname, PatternText.Pathname)
            : Component.Of(given.Pathname, PatternOptions.Default, PatternText.OpaquePathname);
        _search = Component.Of(given.Search, PatternOptions.Default, PatternText.Search);
        _hash = Component.Of(given.Hash, PatternOptions.Default, PatternText.Hash);
        if (ProgramSize > NfaProgram.MaxWords)
            throw NfaProgram.TooLarge();
    }

    /// <summary>The literal host name, or null if the pattern matches several. An index may sort patterns by it.</summary>
    public string? Host => _hostname.Literal;

    /// <summary>The literal beginning of the path. Every matching URL's path begins with it.</summary>
    public string PathPrefix => _pathname.LiteralPrefix;

    /// <summary>The size of the programs of all components in words.</summary>
    internal int ProgramSize =>
        new[] { _protocol, _username, _password, _hostname, _port, _pathname, _search, _hash }.Sum(component => component.ProgramSize);

    /// <summary>Parses a pattern.</summary>
    /// <param name="text">An absolute pattern, or one relative to <paramref name="baseUrl"/>.</param>
    /// <param name="baseUrl">The base of a relative pattern.</param>
    /// <exception cref="FormatException">The pattern is faulty, or its programs exceed <see cref="NfaProgram.MaxWords"/>.</exception>
    public static UrlPattern Parse(string text, WebUrl? baseUrl)
    {
        var given = PatternString.Split(
            text,
            protocol => SpecialSchemes.Any(Component.Of(protocol, PatternOptions.Default, PatternText.Protocol).IsMatch)
        );
        if (given.Protocol is null)
            Inherit(given, baseUrl ?? throw new FormatException("A relative pattern needs a base URL."));
        if (given.Protocol is { } protocol && WebUrl.DefaultPort(protocol) is { } port && given.Port == port)
            given.Port = "";
        return new UrlPattern(given);
    }

    /// <summary>Returns whether the pattern matches a URL.</summary>
    public bool IsMatch(WebUrl url) =>
        _pathname.IsMatch(url.Path)
        && _hostname.IsMatch(url.Host ?? "")
        && _protocol.IsMatch(url.Scheme)
        && _search.IsMatch(url.Query ?? "")
        && _port.IsMatch(url.Port)
        && _hash.IsMatch(url.Fragment ?? "")
        && _username.IsMatch(url.Username)
        && _password.IsMatch(url.Password);

    // A component is taken from the base only if all components before it are.
    private static void Inherit(PatternComponents given, WebUrl origin)
    {
        given.Protocol = PatternText.Escape(origin.Scheme);
        if (given.Hostname is not null)
            return;
        given.Hostname = PatternText.Escape(origin.Host ?? "");
        given.Port ??= origin.Port;
        if (given.Pathname is { } path)
        {
            if (origin.OpaquePath is null && !IsAbsolute(path))
                given.Pathname = PatternText.Escape(origin.Path[..(origin.Path.LastIndexOf('/') + 1)]) + path;
            return;
        }
        given.Pathname = PatternText.Escape(origin.Path);
        if (given.Search is not null)
            return;
        given.Search = PatternText.Escape(origin.Query ?? "");
        given.Hash ??= PatternText.Escape(origin.Fragment ?? "");
    }

    private static bool IsAbsolute(string path) => path is ['/', ..] or ['\\', '/', ..] or ['{', '/', ..];

    /// <summary>One compiled component. Only repetitions and groups with expressions of their own need a program.</summary>
    private sealed class Component
    {
        private readonly NfaProgram? _program;
        private readonly int _programStart;
        private readonly PatternSequence? _sequence;
        private readonly bool _isAny;

        private Component(List<PatternPart> parts, PatternOptions options)
        {
            LiteralPrefix = PrefixOf(parts);
            if (parts.Count == 0 || parts is [{ Type: PartType.FixedText, Modifier: PartModifier.None }])
                Literal = LiteralPrefix;
            else if (parts is [{ Type: PartType.FullWildcard, Modifier: PartModifier.None, Prefix: "", Suffix: "" }])
                _isAny = true;
            else if ((_sequence = PatternSequence.Of(parts, options)) is null)
            {
                // The literal text before the first group is compared without the program.
                var isFixed = parts[0] is { Type: PartType.FixedText, Modifier: PartModifier.None };
                _programStart = isFixed ? parts[0].Value.Length : 0;
                _program = PatternRegex.Compile(parts.Skip(isFixed ? 1 : 0), options);
            }
        }

        // The prefix of a group belongs to every match, unless the group may be absent.
        private static string PrefixOf(List<PatternPart> parts)
        {
            var isFixed = parts is [{ Type: PartType.FixedText, Modifier: PartModifier.None }, ..];
            var group = parts.ElementAtOrDefault(isFixed ? 1 : 0);
            var prefix = group is { Modifier: PartModifier.None or PartModifier.OneOrMore } ? group.Prefix : "";
            return isFixed ? parts[0].Value + prefix : prefix;
        }

        public string? Literal { get; }

        public string LiteralPrefix { get; }

        public int ProgramSize => _program?.Size ?? 0;

        public static Component Of(string? pattern, PatternOptions options, Func<string, string> encode) =>
            new(PatternParser.Parse(pattern ?? "*", options, encode), options);

        public bool IsMatch(string value) =>
            _isAny
            || (
                _sequence is not null ? _sequence.IsMatch(value)
                : _program is null ? value == Literal
                : value.StartsWith(LiteralPrefix, StringComparison.Ordinal) && _program.IsMatch(value, _programStart)
            );
    }
}
