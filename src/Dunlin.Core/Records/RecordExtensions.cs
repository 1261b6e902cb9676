using Dunlin.Journal;

namespace Dunlin.Records;

/// <summary>Records of units of work and read scopes.</summary>
public static class RecordExtensions
{
    /// <summary>Changes records in this unit of work. Make one for each unit, so that it knows all whom the unit concerns.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="origin">Who causes the changes.</param>
    public static RecordWriter Records(this IUnitOfWork unit, EventOrigin? origin = null) => new(unit, Scope(unit), origin);

    /// <summary>Reads what one user may read, in this snapshot.</summary>
    public static RecordReader Records(this IReadScope scope, string userId) => new(Scope(scope), userId);

    /// <summary>The rows themselves, whoever may read them.</summary>
    /// <exception cref="NotSupportedException">The store keeps no records.</exception>
    public static IRecordScope RecordTables(this IReadScope scope) => Scope(scope);

    /// <inheritdoc cref="RecordTables(IReadScope)"/>
    public static IRecordScope RecordTables(this IUnitOfWork unit) => Scope(unit);

    private static IRecordScope Scope(object scope) =>
        scope as IRecordScope
        ?? throw new NotSupportedException($"{scope.GetType().Name} has no records: this store does not support them.");
}
