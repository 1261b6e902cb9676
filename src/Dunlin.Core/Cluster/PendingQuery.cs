using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Scheduling;

namespace Dunlin.Cluster;

/// <summary>A query in progress, with the nodes that have not answered. Thread-safe.</summary>
internal abstract class PendingQuery
{
    private readonly TaskCompletionSource _enough = new(Background.Continuations);

    /// <summary>Gets a task that completes when no further responses are needed.</summary>
    public Task Enough => _enough.Task;

    /// <summary>Adds the response of a node.</summary>
    public abstract void Add(string node, JsonElement answer);

    /// <summary>Records that a node cannot answer.</summary>
    public abstract void AddUnsupported();

    protected void End() => _enough.TrySetResult();
}

/// <summary>A query whose responses have the type <typeparamref name="T"/>.</summary>
internal sealed class PendingQuery<T>(IReadOnlyCollection<string> expected, Func<T, bool>? isEnough, JsonTypeInfo<T> json) : PendingQuery
{
    private readonly Lock _gate = new(); // guards the fields below
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
        // Null adds no answer, but the node has responded.
        var isSaying = answer.ValueKind is not JsonValueKind.Null and not JsonValueKind.Undefined;
        var value = isSaying ? answer.Deserialize(json) : default;
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

    // Requires _gate.
    private void EndIfEnough()
    {
        if (_isEnough || _missing.Count <= _passed)
            End();
    }
}
