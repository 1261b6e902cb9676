using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.Replicache;

/// <summary>One mutation that is being done. Valid inside its mutator only.</summary>
public sealed class Mutation
{
    internal Mutation(
        string name,
        long id,
        string clientId,
        Caller caller,
        IUnitOfWork unit,
        RecordWriter records,
        IServiceProvider services
    ) => (Name, Id, ClientId, Caller, Unit, Records, Services) = (name, id, clientId, caller, unit, records, services);

    /// <summary>The name of the mutator.</summary>
    public string Name { get; }

    /// <summary>The number of the mutation within its client, from 1.</summary>
    public long Id { get; }

    /// <summary>The Replicache client.</summary>
    public string ClientId { get; }

    /// <summary>Who is signed in. Whether this user may do it is the mutator's business.</summary>
    public Caller Caller { get; }

    /// <summary>The unit of work, for tables of the application beside the records.</summary>
    public IUnitOfWork Unit { get; }

    /// <summary>The records. All who see a change made here are poked.</summary>
    public RecordWriter Records { get; }

    /// <summary>The services of the application.</summary>
    public IServiceProvider Services { get; }
}

/// <summary>A mutator as it is registered.</summary>
internal sealed record Mutator(string Name, Func<Mutation, JsonElement, CancellationToken, ValueTask> RunAsync);

/// <summary>All mutators by name.</summary>
internal sealed class MutatorSet
{
    private readonly Dictionary<string, Mutator> _byName = new(StringComparer.Ordinal);

    public MutatorSet(IEnumerable<Mutator> mutators)
    {
        foreach (var mutator in mutators)
        {
            if (!_byName.TryAdd(mutator.Name, mutator))
                throw new InvalidOperationException($"Two mutators have the name '{mutator.Name}'. Rename one.");
        }
    }

    public Mutator? Find(string name) => _byName.GetValueOrDefault(name);
}
