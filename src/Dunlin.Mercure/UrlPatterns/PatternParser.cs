using System.Text;

namespace Dunlin.Mercure.UrlPatterns;

/// <summary>Parses one component of a pattern into parts: the URL Pattern standard, section 2.1.5.</summary>
internal sealed class PatternParser
{
    private readonly List<PatternToken> _tokens;
    private readonly PatternOptions _options;
    private readonly Func<string, string> _encode;
    private readonly List<PatternPart> _parts = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly StringBuilder _fixedText = new();
    private int _index;

    private PatternParser(string text, PatternOptions options, Func<string, string> encode)
    {
        _tokens = PatternTokenizer.Tokenize(text, isLenient: false);
        _options = options;
        _encode = encode;
    }

    /// <summary>Parses a component.</summary>
    /// <param name="text">The component's pattern.</param>
    /// <param name="options">How the component is split into segments.</param>
    /// <param name="encode">Makes literal text canonical, as the URL parser would; throws for text that cannot be in the component.</param>
    /// <exception cref="FormatException">The pattern is faulty.</exception>
    public static List<PatternPart> Parse(string text, PatternOptions options, Func<string, string> encode)
    {
        var parser = new PatternParser(text, options, encode);
        parser.Run();
        return parser._parts;
    }

    private void Run()
    {
        while (_index < _tokens.Count)
        {
            var character = TryTake(TokenType.Char);
            var name = TryTake(TokenType.Name);
            var group = TryTakeGroup(name);
            if (name is not null || group is not null)
            {
                var prefix = character?.Value ?? "";
                if (prefix.Length > 0 && prefix != _options.Prefix?.ToString())
                {
                    _fixedText.Append(prefix);
                    prefix = "";
                }
                AddFixedText();
                AddGroup(prefix, name, group, "", Modifier());
            }
            else if ((character ?? TryTake(TokenType.EscapedChar)) is { } literal)
                _fixedText.Append(literal.Value);
            else if (TryTake(TokenType.Open) is not null)
            {
                var prefix = TakeText();
                name = TryTake(TokenType.Name);
                group = TryTakeGroup(name);
                var suffix = TakeText();
                Require(TokenType.Close);
                AddGroup(prefix, name, group, suffix, Modifier());
            }
            else
            {
                AddFixedText();
                Require(TokenType.End);
            }
        }
    }

    private PatternToken? TryTake(TokenType type) => _index < _tokens.Count && _tokens[_index].Type == type ? _tokens[_index++] : null;

    private PatternToken? TryTakeGroup(PatternToken? name) =>
        TryTake(TokenType.Regexp) ?? (name is null ? TryTake(TokenType.Asterisk) : null);

    private void Require(TokenType type)
    {
        if (TryTake(type) is null)
            throw new FormatException($"The pattern has '{_tokens[_index].Value}' at {_tokens[_index].Index}, where {type} must be.");
    }

    private string TakeText()
    {
        var text = new StringBuilder();
        while ((TryTake(TokenType.Char) ?? TryTake(TokenType.EscapedChar)) is { } token)
            text.Append(token.Value);
        return text.ToString();
    }

    private PartModifier Modifier() =>
        (TryTake(TokenType.OtherModifier) ?? TryTake(TokenType.Asterisk))?.Value switch
        {
            "?" => PartModifier.Optional,
            "*" => PartModifier.ZeroOrMore,
            "+" => PartModifier.OneOrMore,
            _ => PartModifier.None,
        };

    private void AddFixedText()
    {
        if (_fixedText.Length == 0)
            return;
        _parts.Add(new PatternPart(PartType.FixedText, _encode(_fixedText.ToString()), PartModifier.None));
        _fixedText.Clear();
    }

    private void AddGroup(string prefix, PatternToken? name, PatternToken? group, string suffix, PartModifier modifier)
    {
        if (name is null && group is null && modifier == PartModifier.None)
        {
            _fixedText.Append(prefix);
            return;
        }
        AddFixedText();
        if (name is null && group is null)
        {
            if (prefix.Length > 0)
                _parts.Add(new PatternPart(PartType.FixedText, _encode(prefix), modifier));
            return;
        }
        if (name is { } given && !_names.Add(given.Value))
            throw new FormatException($"The pattern has two groups named '{given.Value}'.");
        var (type, value) = group switch
        {
            null => (PartType.SegmentWildcard, ""),
            { Type: TokenType.Asterisk } or { Value: ".*" } => (PartType.FullWildcard, ""),
            { } regexp => (PartType.Regexp, regexp.Value),
        };
        _parts.Add(new PatternPart(type, value, modifier, _encode(prefix), _encode(suffix)));
    }
}
