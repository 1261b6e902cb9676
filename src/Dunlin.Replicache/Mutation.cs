using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.Replicache;

/// <summary>Represents a running mutation. Valid only inside its mutator. Not thread-safe.</summary>
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

    /// <summary>Gets the name of the mutator.</summary>
    public string Name { get; }

    /// <summary>Gets the number of the mutation within its client, from 1.</summary>
    public long Id { get; }

    /// <summary>Gets the id of the Replicache client.</summary>
    public string ClientId { get; }

    /// <summary>Gets the signed-in user. The mutator itself must check what this user may do.</summary>
    public Caller Caller { get; }

    /// <summary>Gets the unit of work, for tables of the application.</summary>
    public IUnitOfWork Unit { get; }

    /// <summary>Gets the records. All users who can see a change made here are poked.</summary>
    public RecordWriter Records { get; }

    /// <summary>Gets the services of the application.</summary>
    public IServiceProvider Services { get; }
}

/// <summary>A registered mutator.</summary>
internal sealed record Mutator(string Name, Func<Mutation, JsonElement, CancellationToken, ValueTask> RunAsync);

/// <summary>Finds mutators by name. Immutable.</summary>
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
