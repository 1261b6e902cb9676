using Dunlin.Journal;

namespace Dunlin.Records;

/// <summary>Adds records to units of work and read scopes.</summary>
public static class RecordExtensions
{
    /// <summary>
    /// Returns a new writer of the records in this unit of work. Use one writer per unit of work: it tracks the affected users.
    /// </summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="origin">The cause of the changes; null for the server.</param>
    /// <exception cref="NotSupportedException">The store has no records.</exception>
    public static RecordWriter Records(this IUnitOfWork unit, EventOrigin? origin = null) => new(unit, Scope(unit), origin);

    /// <summary>Returns a new reader of the records that a user may read in this snapshot.</summary>
    /// <param name="scope">The read scope.</param>
    /// <param name="userId">The user.</param>
    /// <exception cref="NotSupportedException">The store has no records.</exception>
    internal static RecordReader Records(this IReadScope scope, string userId) => new(Scope(scope), userId);

    /// <summary>Returns the record tables without access checks.</summary>
    /// <param name="scope">The read scope.</param>
    /// <exception cref="NotSupportedException">The store has no records.</exception>
    public static IRecordScope RecordTables(this IReadScope scope) => Scope(scope);

    /// <summary>Returns the record tables without access checks.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <exception cref="NotSupportedException">The store has no records.</exception>
    public static IRecordScope RecordTables(this IUnitOfWork unit) => Scope(unit);

    private static IRecordScope Scope(object scope) =>
        scope as IRecordScope
        ?? throw new NotSupportedException($"{scope.GetType().Name} has no records: this store does not support them.");
}
