namespace Dunlin.Mercure.UrlPatterns;

/// <summary>Compiles a syntax tree to an automaton of Thompson's construction. A repetition becomes as many copies as it counts.</summary>
internal sealed class NfaCompiler
{
    private readonly List<uint> _code = [];
    private readonly Dictionary<CharacterSet, int> _sets = [];
    private readonly List<uint> _setWords = [];

    private NfaCompiler() { }

    /// <summary>Compiles an expression.</summary>
    /// <exception cref="FormatException">The program exceeds <see cref="NfaProgram.MaxWords"/>.</exception>
    public static NfaProgram Compile(RegexNode node)
    {
        var compiler = new NfaCompiler();
        compiler.Add(node);
        compiler.Emit(NfaInstruction.Match);
        var code = compiler._code;
        var words = code.Select(word =>
            NfaInstruction.Code(word) == NfaInstruction.Set
                ? NfaInstruction.Create(NfaInstruction.Set, NfaInstruction.Operand(word) + code.Count)
                : word
        );
        return new NfaProgram([.. words, .. compiler._setWords], code.Count);
    }

    private void Add(RegexNode node)
    {
        switch (node)
        {
            case LiteralNode { Text: var text }:
                foreach (var c in text)
                    Emit(NfaInstruction.Character, c);
                break;
            case SetNode { Set: var set }:
                Add(set);
                break;
            case SequenceNode { Nodes: var nodes }:
                foreach (var part in nodes)
                    Add(part);
                break;
            case AlternationNode { Branches: var branches }:
                Add(branches);
                break;
            case RepetitionNode repetition:
                Add(repetition);
                break;
            case AnchorNode { IsEnd: var isEnd }:
                Emit(isEnd ? NfaInstruction.End : NfaInstruction.Start);
                break;
        }
    }

    private void Add(CharacterSet set)
    {
        if (set == CharacterSet.Any)
            Emit(NfaInstruction.Any);
        else if (set.Ranges is [var first, var last] && first == last)
            Emit(NfaInstruction.Character, first);
        else
        {
            if (!_sets.TryGetValue(set, out var index))
            {
                _sets[set] = index = _setWords.Count;
                _setWords.AddRange(NfaProgram.Encode(set));
            }
            Emit(NfaInstruction.Set, index);
        }
    }

    private void Add(IReadOnlyList<RegexNode> branches)
    {
        var jumps = new List<int>();
        for (var i = 0; i < branches.Count - 1; i++)
        {
            var split = Emit(NfaInstruction.Split);
            Add(branches[i]);
            jumps.Add(Emit(NfaInstruction.Jump));
            Target(split, _code.Count);
        }
        Add(branches[^1]);
        foreach (var jump in jumps)
            Target(jump, _code.Count);
    }

    private void Add(RepetitionNode repetition)
    {
        var (node, min, max) = repetition;
        var begin = _code.Count;
        for (var i = 0; i < min; i++)
        {
            begin = _code.Count;
            Add(node);
            // Copies of nothing add nothing, and would not end at the limit of words.
            if (_code.Count == begin)
                return;
        }
        if (max is null && min > 0)
            Emit(NfaInstruction.Split, begin);
        else if (max is null)
        {
            var split = Emit(NfaInstruction.Split);
            Add(node);
            Emit(NfaInstruction.Split, begin + 1);
            Target(split, _code.Count);
        }
        else
            AddOptional(node, max.Value - min);
    }

    private void AddOptional(RegexNode node, int count)
    {
        var splits = new List<int>();
        for (var i = 0; i < count; i++)
        {
            splits.Add(Emit(NfaInstruction.Split));
            Add(node);
        }
        foreach (var split in splits)
            Target(split, _code.Count);
    }

    private int Emit(uint code, int operand = 0)
    {
        _code.Add(NfaInstruction.Create(code, operand));
        return _code.Count + _setWords.Count <= NfaProgram.MaxWords ? _code.Count - 1 : throw NfaProgram.TooLarge();
    }

    private void Target(int index, int target) => _code[index] = NfaInstruction.Create(NfaInstruction.Code(_code[index]), target);
}
