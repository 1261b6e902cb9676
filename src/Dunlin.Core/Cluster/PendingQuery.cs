using System.Text.Json;

namespace Dunlin.Cluster;

/// <summary>One question that is under way: who has not answered yet. Safe for concurrent use.</summary>
internal abstract class PendingQuery
{
    private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when nothing more is to be waited for.</summary>
    public Task Enough => _enough.Task;

    /// <summary>A node has answered.</summary>
    public abstract void Add(string node, JsonElement answer);

    /// <summary>A node cannot answer.</summary>
    public abstract void AddUnsupported();

    protected void End() => _enough.TrySetResult();
}

/// <summary>A question whose answers are <typeparamref name="T"/>.</summary>
internal sealed class PendingQuery<T>(IReadOnlyCollection<string> expected, Func<T, bool>? isEnough) : PendingQuery
{
    private readonly Lock _gate = new(); // guards all below
    private readonly HashSet<string> _missing = new(expected, StringComparer.Ordinal);
    private readonly List<T> _answers = [];
    private int _passed;
    private bool _isEnough;

    public ClusterAnswer<IReadOnlyList<T>> Result
    {
        get
        {
            lock (_gate)
                return new([.. _answers], _isEnough ? 0 : _missing.Count);
        }
    }

    public override void Add(string node, JsonElement answer)
    {
        // Null says nothing, but it is an answer.
        var isSaying = answer.ValueKind is not JsonValueKind.Null and not JsonValueKind.Undefined;
        var value = isSaying ? answer.Deserialize<T>(JsonSerializerOptions.Web) : default;
        lock (_gate)
        {
            _missing.Remove(node);
            if (isSaying)
            {
                _answers.Add(value!);
                _isEnough |= isEnough?.Invoke(value!) is true;
            }
            EndIfEnough();
        }
    }

    public override void AddUnsupported()
    {
        lock (_gate)
        {
            _passed++;
            EndIfEnough();
        }
    }

    // Only under _gate.
    private void EndIfEnough()
    {
        if (_isEnough || _missing.Count <= _passed)
            End();
    }
}
