namespace Dunlin.Mercure.UrlPatterns;

/// <summary>The components of a pattern as text; null where the pattern says nothing.</summary>
internal sealed class PatternComponents
{
    public string? Protocol { get; set; }

    public string? Username { get; set; }

    public string? Password { get; set; }

    public string? Hostname { get; set; }

    public string? Port { get; set; }

    public string? Pathname { get; set; }

    public string? Search { get; set; }

    public string? Hash { get; set; }
}

/// <summary>Splits the text of a whole URL pattern into components: the URL Pattern standard, section 2.1.3.</summary>
internal sealed class PatternString
{
    private readonly string _text;
    private readonly List<PatternToken> _tokens;
    private readonly PatternComponents _result = new();
    private readonly Func<string, bool> _isSpecialProtocol;
    private State _state = State.Init;
    private int _start;
    private int _index;
    private int _step;
    private int _groups;
    private int _brackets;
    private bool _isSpecial;

    private PatternString(string text, Func<string, bool> isSpecialProtocol)
    {
        _text = text;
        _tokens = PatternTokenizer.Tokenize(text, isLenient: true);
        _isSpecialProtocol = isSpecialProtocol;
    }

    private enum State
    {
        Init,
        Protocol,
        Authority,
        Username,
        Password,
        Hostname,
        Port,
        Pathname,
        Search,
        Hash,
        Done,
    }

    /// <summary>Splits a pattern.</summary>
    /// <param name="text">The pattern.</param>
    /// <param name="isSpecialProtocol">Whether the pattern of a protocol matches a special scheme.</param>
    public static PatternComponents Split(string text, Func<string, bool> isSpecialProtocol)
    {
        var run = new PatternString(text, isSpecialProtocol);
        run.Run();
        if (run._result is { Hostname: not null, Port: null })
            run._result.Port = "";
        return run._result;
    }

    private void Run()
    {
        for (; _index < _tokens.Count; _index += _step)
        {
            _step = 1;
            if (_tokens[_index].Type == TokenType.End)
            {
                if (AtEnd())
                    return;
                continue;
            }
            if (_tokens[_index].Type == TokenType.Open)
            {
                _groups++;
                continue;
            }
            if (_groups > 0)
            {
                if (_tokens[_index].Type != TokenType.Close)
                    continue;
                _groups--;
            }
            Step();
        }
    }

    // Returns whether the pattern has ended.
    private bool AtEnd()
    {
        if (_state == State.Init)
        {
            Rewind();
            if (Is("#"))
                Change(State.Hash, 1);
            else if (IsSearchPrefix())
                Change(State.Search, 1);
            else
                Change(State.Pathname, 0);
            return false;
        }
        if (_state == State.Authority)
        {
            RewindTo(State.Hostname);
            return false;
        }
        Change(State.Done, 0);
        return true;
    }

    private void Step()
    {
        switch (_state)
        {
            case State.Init when Is(":"):
                RewindTo(State.Protocol);
                break;
            case State.Protocol when Is(":"):
                _isSpecial = _isSpecialProtocol(Component());
                var hasSlashes = Is("/", _index + 1) && Is("/", _index + 2);
                Change(hasSlashes || _isSpecial ? State.Authority : State.Pathname, hasSlashes ? 3 : 1);
                break;
            case State.Authority when Is("@"):
                RewindTo(State.Username);
                break;
            case State.Authority when IsAfterAuthority():
                RewindTo(State.Hostname);
                break;
            case State.Username when Is(":"):
                Change(State.Password, 1);
                break;
            case State.Username or State.Password when Is("@"):
                Change(State.Hostname, 1);
                break;
            case State.Hostname when Is("["):
                _brackets++;
                break;
            case State.Hostname when Is("]"):
                _brackets--;
                break;
            case State.Hostname when Is(":") && _brackets == 0:
                Change(State.Port, 1);
                break;
            case State.Hostname or State.Port when Is("/"):
                Change(State.Pathname, 0);
                break;
            case State.Hostname or State.Port or State.Pathname when IsSearchPrefix():
                Change(State.Search, 1);
                break;
            case State.Hostname or State.Port or State.Pathname or State.Search when Is("#"):
                Change(State.Hash, 1);
                break;
        }
    }

    private bool IsAfterAuthority() => Is("/") || IsSearchPrefix() || Is("#");

    private void Change(State next, int skip)
    {
        if (_state is not (State.Init or State.Authority or State.Done))
            Set(_state, Component());
        if (_state != State.Init && next != State.Done)
        {
            // Earlier components that the text passed over are empty, not wildcards.
            if (_state <= State.Password && next >= State.Port)
                _result.Hostname ??= "";
            if (_state <= State.Port && next >= State.Search)
                _result.Pathname ??= _isSpecial ? "/" : "";
            if (_state <= State.Pathname && next == State.Hash)
                _result.Search ??= "";
        }
        _state = next;
        _start = _index + skip;
        _index += skip;
        _step = 0;
    }

    private void Set(State state, string value)
    {
        switch (state)
        {
            case State.Protocol:
                _result.Protocol = value;
                break;
            case State.Username:
                _result.Username = value;
                break;
            case State.Password:
                _result.Password = value;
                break;
            case State.Hostname:
                _result.Hostname = value;
                break;
            case State.Port:
                _result.Port = value;
                break;
            case State.Pathname:
                _result.Pathname = value;
                break;
            case State.Search:
                _result.Search = value;
                break;
            case State.Hash:
                _result.Hash = value;
                break;
        }
    }

    private void Rewind()
    {
        _index = _start;
        _step = 0;
    }

    private void RewindTo(State state)
    {
        Rewind();
        _state = state;
    }

    private string Component()
    {
        var (first, last) = (Token(_start).Index, _tokens[_index].Index);
        return _text[first..last];
    }

    private PatternToken Token(int index) => _tokens[Math.Min(index, _tokens.Count - 1)];

    private bool Is(string value, int? index = null) =>
        Token(index ?? _index) is { Type: TokenType.Char or TokenType.EscapedChar or TokenType.InvalidChar } token && token.Value == value;

    // A question mark after a group is a modifier.
    private bool IsSearchPrefix() =>
        Is("?")
        || (
            Token(_index).Value == "?"
            && (_index == 0 || Token(_index - 1).Type is not (TokenType.Name or TokenType.Regexp or TokenType.Close or TokenType.Asterisk))
        );
}
