using System.Collections.Immutable;
using Dunlin.Consumers;

namespace Dunlin.InMemory;

/// <summary>All consumer groups of the in-memory store. Immutable.</summary>
internal sealed record ConsumerRows(ImmutableSortedDictionary<string, ConsumerRow> ByGroup)
{
    public static ConsumerRows Empty { get; } = new(ImmutableSortedDictionary.Create<string, ConsumerRow>(StringComparer.Ordinal));
}

/// <summary>The consumer groups of one scope in memory.</summary>
/// <param name="get">Returns the current rows; throws if the scope has ended.</param>
/// <param name="set">Replaces the rows; null in a read scope.</param>
internal sealed class InMemoryConsumerTable(Func<ConsumerRows> get, Action<ConsumerRows>? set) : IConsumerTable
{
    public ValueTask<ConsumerRow?> FindAsync(string group, CancellationToken cancellationToken) =>
        new(get().ByGroup.GetValueOrDefault(group));

    public ValueTask<IReadOnlyList<ConsumerRow>> ListAsync(CancellationToken cancellationToken) => new([.. get().ByGroup.Values]);

    public ValueTask SaveAsync(ConsumerRow row, CancellationToken cancellationToken) =>
        Set(new ConsumerRows(get().ByGroup.SetItem(row.Group, row)));

    public ValueTask RemoveAsync(string group, CancellationToken cancellationToken) => Set(new ConsumerRows(get().ByGroup.Remove(group)));

    private ValueTask Set(ConsumerRows rows)
    {
        (set ?? throw new InvalidOperationException("A read scope cannot change consumer groups. Use a unit of work."))(rows);
        return default;
    }
}
