namespace Dunlin.Mercure.UrlPatterns;

/// <summary>
/// A regular expression as a nondeterministic finite automaton. Immutable and thread safe. A match costs at most one step for each
/// instruction and character, and allocates nothing.
/// </summary>
/// <remarks>
/// The simulation follows Thompson: it keeps the set of all states that the text so far can lead to, instead of trying one way after the
/// other. Instructions and character sets share one array of words, so the limit of words bounds memory, time and stack.
/// </remarks>
internal sealed class NfaProgram
{
    /// <summary>The largest program of a pattern, in words of four bytes. The worst 100 patterns of a stream take 400 KiB.</summary>
    public const int MaxWords = 1_024;

    // A set: four words with a bit for each ASCII character, the number of its ranges beyond ASCII, then these ranges.
    private const int BitmapWords = 4;

    private readonly uint[] _words;
    private readonly int _states;

    /// <param name="words">Instructions, then character sets.</param>
    /// <param name="states">The number of instructions. The last one is <see cref="NfaInstruction.Match"/>.</param>
    public NfaProgram(uint[] words, int states) => (_words, _states) = (words, states);

    /// <summary>The size of the program in words.</summary>
    public int Size => _words.Length;

    /// <summary>Returns the error of a pattern whose program exceeds <see cref="MaxWords"/>.</summary>
    public static FormatException TooLarge() =>
        new(
            $"The groups and repetitions of the pattern need a program of more than {MaxWords} words. Repeat fewer characters, "
                + "or use fewer groups."
        );

    /// <summary>Returns whether the program matches the whole text from <paramref name="start"/>.</summary>
    public bool IsMatch(ReadOnlySpan<char> text, int start = 0) => IsMatch(text, start, out _);

    /// <param name="text">The text.</param>
    /// <param name="start">The index of the first character to match. Anchors see the characters before it.</param>
    /// <param name="steps">The number of states entered: at most that of instructions for each character, and once more.</param>
    internal bool IsMatch(ReadOnlySpan<char> text, int start, out long steps)
    {
        Span<ushort> current = stackalloc ushort[_states];
        Span<ushort> next = stackalloc ushort[_states];
        var closure = new Closure(_words, stackalloc ushort[_states], stackalloc ulong[(_states + 63) / 64]);
        closure.Begin(start == 0, start == text.Length);
        var count = closure.Add(0, current, 0);
        for (var i = start; i < text.Length && count > 0; i++)
        {
            closure.Begin(isStart: false, i + 1 == text.Length);
            var added = 0;
            foreach (var state in current[..count])
            {
                if (Consumes(_words[state], text[i]))
                    added = closure.Add(state + 1, next, added);
            }
            var swapped = current;
            current = next;
            next = swapped;
            count = added;
        }
        steps = closure.Steps;
        return count > 0 && closure.Has(_states - 1);
    }

    private bool Consumes(uint word, char c) =>
        NfaInstruction.Code(word) switch
        {
            NfaInstruction.Character => NfaInstruction.Operand(word) == c,
            NfaInstruction.Any => true,
            NfaInstruction.Set => Contains(NfaInstruction.Operand(word), c),
            _ => false,
        };

    private bool Contains(int set, char c)
    {
        if (c < 128)
            return (_words[set + c / 32] >> (c % 32) & 1) != 0;
        var (low, high) = (0, (int)_words[set + BitmapWords] - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var range = _words[set + BitmapWords + 1 + middle];
            if (c < range >> 16)
                high = middle - 1;
            else if (c > (range & 0xffff))
                low = middle + 1;
            else
                return true;
        }
        return false;
    }

    /// <summary>Returns the words of a set.</summary>
    internal static uint[] Encode(CharacterSet set)
    {
        var (bitmap, ranges) = (new uint[BitmapWords], new List<uint>());
        for (var i = 0; i < set.Ranges.Length; i += 2)
        {
            var (first, last) = (set.Ranges[i], set.Ranges[i + 1]);
            for (int c = first; c <= last && c < 128; c++)
                bitmap[c / 32] |= 1u << (c % 32);
            if (last >= 128)
                ranges.Add((uint)Math.Max((int)first, 128) << 16 | last);
        }
        return [.. bitmap, (uint)ranges.Count, .. ranges];
    }

    /// <summary>Collects the states that wait for a character, through all instructions that need none.</summary>
    private ref struct Closure(uint[] words, Span<ushort> pending, Span<ulong> entered)
    {
        private readonly Span<ushort> _pending = pending;
        private readonly Span<ulong> _entered = entered;
        private bool _isStart;
        private bool _isEnd;

        public long Steps { get; private set; }

        public void Begin(bool isStart, bool isEnd)
        {
            (_isStart, _isEnd) = (isStart, isEnd);
            _entered.Clear();
        }

        public readonly bool Has(int state) => (_entered[state / 64] >> (state % 64) & 1) != 0;

        /// <summary>Adds what <paramref name="state"/> leads to without a character to a list. Returns its new length.</summary>
        public int Add(int state, Span<ushort> list, int count)
        {
            var depth = 0;
            Enter(state, ref depth);
            while (depth > 0)
            {
                state = _pending[--depth];
                var word = words[state];
                switch (NfaInstruction.Code(word))
                {
                    case NfaInstruction.Jump:
                        Enter(NfaInstruction.Operand(word), ref depth);
                        break;
                    case NfaInstruction.Split:
                        Enter(NfaInstruction.Operand(word), ref depth);
                        Enter(state + 1, ref depth);
                        break;
                    case NfaInstruction.Start when _isStart:
                    case NfaInstruction.End when _isEnd:
                        Enter(state + 1, ref depth);
                        break;
                    case NfaInstruction.Start or NfaInstruction.End:
                        break;
                    default:
                        list[count++] = (ushort)state;
                        break;
                }
            }
            return count;
        }

        // Each state is entered once for a character, so neither list nor stack grow beyond the number of states.
        private void Enter(int state, ref int depth)
        {
            if (Has(state))
                return;
            _entered[state / 64] |= 1ul << (state % 64);
            _pending[depth++] = (ushort)state;
            Steps++;
        }
    }
}
