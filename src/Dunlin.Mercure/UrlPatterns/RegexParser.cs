namespace Dunlin.Mercure.UrlPatterns;

/// <summary>Parses the regular expression of a group of a URL pattern.</summary>
/// <remarks>
/// The standard uses JavaScript's syntax with the flag <c>v</c>. The parser refuses the parts of it that an automaton cannot match in
/// linear time, such as look-around and back references, and rare ones, such as property classes and set operations. Lazy quantifiers match
/// the same texts as greedy ones.
/// </remarks>
internal sealed class RegexParser
{
    /// <summary>The deepest nesting of groups: parser and compiler recurse.</summary>
    public const int MaxDepth = 200;

    // Larger numbers of repetitions exceed the size of every program.
    private const int MaxCount = 1_000_000;

    private readonly string _text;
    private int _index;
    private int _depth;

    private RegexParser(string text) => _text = text;

    /// <summary>Parses an expression.</summary>
    /// <exception cref="FormatException">The expression is faulty, or has syntax that is not supported.</exception>
    public static RegexNode Parse(string expression)
    {
        var parser = new RegexParser(expression);
        var node = parser.Alternation();
        return parser._index == expression.Length ? node : throw parser.Faulty("a ')' without its '('");
    }

    private char? Next => _index < _text.Length ? _text[_index] : null;

    private bool TryTake(char c)
    {
        if (Next != c)
            return false;
        _index++;
        return true;
    }

    private RegexNode Alternation()
    {
        var branches = new List<RegexNode> { Sequence() };
        while (TryTake('|'))
            branches.Add(Sequence());
        return branches.Count == 1 ? branches[0] : new AlternationNode(branches);
    }

    private RegexNode Sequence()
    {
        var nodes = new List<RegexNode>();
        while (Next is not (null or '|' or ')'))
            nodes.Add(Term());
        return nodes.Count == 1 ? nodes[0] : new SequenceNode(nodes);
    }

    private RegexNode Term()
    {
        if (Next is not ('^' or '$'))
            return Quantified(Atom());
        var anchor = new AnchorNode(_text[_index++] == '$');
        return Next is '*' or '+' or '?' or '{' ? throw Faulty("a quantifier of an anchor") : anchor;
    }

    private RegexNode Atom()
    {
        switch (_text[_index++])
        {
            case '(':
                return Group();
            case '[':
                return new SetNode(Class());
            case '.':
                return new SetNode(CharacterSet.LineTerminators.Complement());
            case '\\':
                return EscapedSet() is { } set ? new SetNode(set) : new LiteralNode(EscapedCharacter().ToString());
            case '*' or '+' or '?' or '{':
                _index--;
                throw Faulty("a quantifier without anything to repeat");
            case ']' or '}':
                _index--;
                throw Faulty($"a '{Next}' without a backslash");
            case var c:
                return new LiteralNode(c.ToString());
        }
    }

    private RegexNode Group()
    {
        if (!TryTake('?') || !TryTake(':'))
            throw Refused("look-around, or named or capturing groups");
        if (++_depth > MaxDepth)
            throw Refused($"more than {MaxDepth} groups inside each other");
        var node = Alternation();
        _depth--;
        return TryTake(')') ? node : throw Faulty("a '(' without its ')'");
    }

    private RegexNode Quantified(RegexNode node)
    {
        (int Min, int? Max)? count = Next switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            '{' => (-1, null),
            _ => null,
        };
        if (count is not var (min, max))
            return node;
        _index++;
        if (min < 0)
            (min, max) = Counts();
        TryTake('?');
        return Next is '*' or '+' or '?' or '{' ? throw Faulty("two quantifiers in a row") : new RepetitionNode(node, min, max);
    }

    // The rest of {n}, {n,} or {n,m}.
    private (int Min, int? Max) Counts()
    {
        var min = Number();
        var max = TryTake(',') ? Number() : min;
        if (min is not { } first || !TryTake('}') || (max is null && _text[_index - 2] != ','))
            throw Faulty("a '{' that begins no repetition");
        return max < first ? throw Faulty("a repetition whose limits are in the wrong order") : (first, max);
    }

    private int? Number()
    {
        int? value = null;
        for (; Next is >= '0' and <= '9'; _index++)
            value = Math.Min((value ?? 0) * 10 + _text[_index] - '0', MaxCount);
        return value;
    }

    private CharacterSet Class()
    {
        var isComplement = TryTake('^');
        if (Next == ']')
            throw Refused("an empty class");
        var ranges = new List<char>();
        while (!TryTake(']'))
        {
            if (ClassItem() is not { } first)
                ranges.AddRange(ClassEscape().Ranges);
            else if (Next != '-' || _index + 1 >= _text.Length || _text[_index + 1] == ']')
                ranges.AddRange([first, first]);
            else if (_text[_index + 1] == '-')
                throw Refused("a set operation");
            else
            {
                _index++;
                var last = ClassItem() ?? throw Refused("a range that ends with a class");
                ranges.AddRange(first <= last ? [first, last] : throw Faulty("a range whose limits are in the wrong order"));
            }
        }
        var set = CharacterSet.Of([.. ranges]);
        return isComplement ? set.Complement() : set;
    }

    /// <summary>Returns the next character of a class; null if the next item is an escaped class.</summary>
    private char? ClassItem()
    {
        switch (Next)
        {
            case null:
                throw Faulty("a '[' without its ']'");
            case '[':
                throw Refused("a class inside a class");
            case '(' or ')' or '{' or '}' or '/' or '|':
                throw Refused($"'{Next}' in a class without a backslash");
            case '&' or '-' when _index + 1 < _text.Length && _text[_index + 1] == Next:
                throw Refused("a set operation");
            case '\\' when _index + 1 < _text.Length && _text[_index + 1] is 'd' or 'w' or 's':
                return null;
            case '\\':
                _index++;
                return EscapedCharacter();
            case var c:
                _index++;
                return c;
        }
    }

    private CharacterSet ClassEscape()
    {
        _index++;
        var set = EscapedSet()!.Value;
        // With a class at one of its ends, '-' could be a range or a character.
        return Next == '-' && _index + 1 < _text.Length && _text[_index + 1] != ']'
            ? throw Refused("a range that begins with a class")
            : set;
    }

    /// <summary>Takes an escape that names a set; null if it is none.</summary>
    private CharacterSet? EscapedSet()
    {
        CharacterSet? set = Next switch
        {
            'd' => CharacterSet.Digits,
            'D' => CharacterSet.Digits.Complement(),
            'w' => CharacterSet.WordCharacters,
            'W' => CharacterSet.WordCharacters.Complement(),
            's' => CharacterSet.WhiteSpace,
            'S' => CharacterSet.WhiteSpace.Complement(),
            _ => null,
        };
        _index += set is null ? 0 : 1;
        return set;
    }

    private char EscapedCharacter()
    {
        if (Next is not { } c)
            throw Faulty("a backslash at its end");
        _index++;
        switch (c)
        {
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'v':
                return '\v';
            case 'f':
                return '\f';
            case 'u' or 'x' when Hex(c == 'u' ? 4 : 2) is { } code:
                return code;
            case var _ when char.IsAsciiLetterOrDigit(c):
                throw Refused($"the escape \\{c}");
            default:
                return c;
        }
    }

    private char? Hex(int length)
    {
        if (_index + length > _text.Length)
            return null;
        var value = 0;
        foreach (var c in _text.AsSpan(_index, length))
        {
            if (!char.IsAsciiHexDigit(c))
                return null;
            value = value * 16 + Convert.ToInt32(c.ToString(), 16);
        }
        _index += length;
        return (char)value;
    }

    private static FormatException Refused(string what) =>
        new($"The regular expression of the pattern uses {what}, which is not supported.");

    private FormatException Faulty(string what) => new($"The regular expression of the pattern has {what}, at {_index} of '{_text}'.");
}
