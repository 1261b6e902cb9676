using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;

namespace Dunlin.RxDb;

/// <summary>Finds collections by name and by record key. Immutable.</summary>
internal sealed class RxCollectionSet : IHostedService
{
    private readonly Dictionary<string, RxCollection> _byName = new(StringComparer.Ordinal);

    private readonly IReadOnlyList<RxCollection> _all;

    public RxCollectionSet(IEnumerable<RxCollection> collections)
    {
        _all = [.. collections];
        foreach (var collection in _all)
            _byName[collection.Name] = collection;
    }

    /// <summary>Checks the collections, so that an invalid one stops the start of the host instead of failing the first pull.</summary>
    /// <exception cref="InvalidOperationException">A collection is invalid. The message names the collection and the fault.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < _all.Count; i++)
        {
            if (_all[i].Fault() is { } fault)
                throw new InvalidOperationException($"The collection '{_all[i].Name}' is invalid: {fault}.");
            foreach (var other in _all.Take(i))
                Compare(other, _all[i]);
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public RxCollection? Find(string name) => _byName.GetValueOrDefault(name);

    public bool TryFindByKey(string key, [NotNullWhen(true)] out RxCollection? collection)
    {
        foreach (var candidate in _byName.Values)
        {
            if (key.StartsWith(candidate.KeyPrefix, StringComparison.Ordinal))
            {
                collection = candidate;
                return true;
            }
        }
        collection = null;
        return false;
    }

    private static void Compare(RxCollection one, RxCollection other)
    {
        if (
            one.KeyPrefix.StartsWith(other.KeyPrefix, StringComparison.Ordinal)
            || other.KeyPrefix.StartsWith(one.KeyPrefix, StringComparison.Ordinal)
        )
            throw new InvalidOperationException(
                $"One of the key prefixes of the collections '{one.Name}' and '{other.Name}' begins with the other. Change one."
            );
        if (string.Equals(one.Name, other.Name, StringComparison.Ordinal))
            throw new InvalidOperationException($"Two collections have the name '{one.Name}'. Rename one.");
    }
}
