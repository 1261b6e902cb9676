using System.Diagnostics.CodeAnalysis;

namespace Dunlin.RxDb;

/// <summary>All collections, by name and by the keys of their records. Immutable.</summary>
internal sealed class RxCollectionSet
{
    private readonly Dictionary<string, RxCollection> _byName = new(StringComparer.Ordinal);

    public RxCollectionSet(IEnumerable<RxCollection> collections)
    {
        foreach (var collection in collections)
        {
            if (collection.Fault() is { } fault)
                throw new InvalidOperationException($"The collection '{collection.Name}' cannot be: {fault}.");
            foreach (var other in _byName.Values)
            {
                if (
                    other.KeyPrefix.StartsWith(collection.KeyPrefix, StringComparison.Ordinal)
                    || collection.KeyPrefix.StartsWith(other.KeyPrefix, StringComparison.Ordinal)
                )
                    throw new InvalidOperationException(
                        $"The key prefixes of the collections '{other.Name}' and '{collection.Name}' begin alike."
                    );
            }
            if (!_byName.TryAdd(collection.Name, collection))
                throw new InvalidOperationException($"Two collections have the name '{collection.Name}'.");
        }
    }

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
}
