using System.Globalization;

namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>Decides which thread of a run continues.</summary>
internal interface IChooser
{
    /// <summary>Returns the index of the thread that continues.</summary>
    /// <param name="options">The threads that can continue: two or more, in a fixed order.</param>
    /// <param name="continues">Whether the first option is the running thread, so that every other choice is a preemption.</param>
    int Choose(IReadOnlyList<ControlledThread> options, bool continues);
}

/// <summary>Visits all schedules with a limited number of preemptions, depth first.</summary>
internal sealed class BoundedSearch(int bound) : IChooser
{
    private readonly List<Decision> _path = [];
    private int _depth;
    private int _preemptions;

    public void BeginRun() => (_depth, _preemptions) = (0, 0);

    /// <summary>Moves to the next schedule.</summary>
    /// <returns>False if all have been visited.</returns>
    public bool MoveNext()
    {
        while (_path.Count > 0 && _path[^1].Chosen == _path[^1].Options - 1)
            _path.RemoveAt(_path.Count - 1);
        if (_path.Count == 0)
            return false;
        _path[^1] = _path[^1] with { Chosen = _path[^1].Chosen + 1 };
        return true;
    }

    public int Choose(IReadOnlyList<ControlledThread> options, bool continues)
    {
        if (continues && _preemptions >= bound)
            return 0;
        if (_depth == _path.Count)
            _path.Add(new Decision(options.Count, 0));
        var decision = _path[_depth++];
        if (decision.Options != options.Count)
            throw new InvalidOperationException("The scenario is not deterministic: the same choices led to another state.");
        if (continues && decision.Chosen > 0)
            _preemptions++;
        return decision.Chosen;
    }

    private sealed record Decision(int Options, int Chosen);
}

/// <summary>Continues a random thread: with one half of the probability the running one.</summary>
internal sealed class RandomWalk(Random random) : IChooser
{
    public int Choose(IReadOnlyList<ControlledThread> options, bool continues) =>
        continues && random.Next(2) == 0 ? 0 : random.Next(options.Count);
}

/// <summary>Remembers the choices as a text that repeats them: the ids of the threads, each with the length of its sequence.</summary>
internal sealed class Recorder(IChooser inner) : IChooser
{
    private readonly List<(int Thread, int Times)> _choices = [];

    public string Text =>
        string.Join(',', _choices.Select(static c => string.Create(CultureInfo.InvariantCulture, $"{c.Thread}x{c.Times}")));

    public int Choose(IReadOnlyList<ControlledThread> options, bool continues)
    {
        var index = inner.Choose(options, continues);
        var id = options[index].Id;
        if (_choices.Count > 0 && _choices[^1].Thread == id)
            _choices[^1] = (id, _choices[^1].Times + 1);
        else
            _choices.Add((id, 1));
        return index;
    }
}

/// <summary>Repeats the choices of a <see cref="Recorder"/>.</summary>
internal sealed class Replay(string text) : IChooser
{
    private readonly Queue<int> _choices = new(
        text.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(static part => part.Split('x').Select(static n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray())
            .SelectMany(static part => Enumerable.Repeat(part[0], part[1]))
    );

    public int Choose(IReadOnlyList<ControlledThread> options, bool continues)
    {
        if (!_choices.TryDequeue(out var id))
            return 0;
        for (var i = 0; i < options.Count; i++)
        {
            if (options[i].Id == id)
                return i;
        }
        throw new InvalidOperationException($"The schedule does not fit: thread {id} cannot continue.");
    }
}
