using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Consumers;

/// <summary>Reads and changes the cursors of all consumer groups of the store, also of those without a consumer on this node.
/// Thread-safe.</summary>
public sealed class EventConsumers
{
    private readonly IStore _store;
    private readonly IJournal _journal;
    private readonly EventConsumerWorker? _worker;

    internal EventConsumers(IStore store, IJournal journal, EventConsumerWorker? worker) =>
        (_store, _journal, _worker) = (store, journal, worker);

    /// <summary>Returns all groups, by name.</summary>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the store cannot be read.</exception>
    public ValueTask<IReadOnlyList<ConsumerInfo>> ListAsync(CancellationToken cancellationToken = default) =>
        _store.ReadAsync<IReadOnlyList<ConsumerInfo>>(
            async (scope, ct) =>
            {
                var rows = await ConsumerClaim.TableOf(scope).ListAsync(ct);
                return [.. rows.Select(row => InfoOf(row, scope.Position, scope.Now))];
            },
            cancellationToken
        );

    /// <summary>Returns a group; null if it has no cursor.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the store cannot be read.</exception>
    public ValueTask<ConsumerInfo?> FindAsync(string group, CancellationToken cancellationToken = default) =>
        _store.ReadAsync(
            async (scope, ct) =>
                await ConsumerClaim.TableOf(scope).FindAsync(group, ct) is { } row ? InfoOf(row, scope.Position, scope.Now) : null,
            cancellationToken
        );

    /// <summary>Moves the cursor of a group forwards or backwards, and clears its failures. The holder stops, and a node delivers the
    /// events
    /// after the position.</summary>
    /// <remarks>Move it behind an event that always fails to skip that event.</remarks>
    /// <param name="group">The group.</param>
    /// <param name="position">The new position. Offset 0 is before the first event.</param>
    /// <param name="cancellationToken">Cancels the call if its commit has not begun.</param>
    /// <returns>Whether the group has a cursor.</returns>
    /// <exception cref="ArgumentException">The position is of another epoch or after the head of the journal.</exception>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: nothing was changed.</exception>
    public async ValueTask<bool> SeekAsync(string group, Position position, CancellationToken cancellationToken = default)
    {
        var head = await _journal.ReadHeadAsync(cancellationToken);
        if (position.Epoch != head.Epoch || position.Offset < 0 || position.Offset > head.Offset)
            throw new ArgumentException($"The position {position} is not between {head with { Offset = 0 }} and {head}.", nameof(position));
        var isFound = await ChangeAsync(
            group,
            static (table, row, ct) => table.SaveAsync(row, ct),
            row =>
                row with
                {
                    Through = position.Offset,
                    Holder = null,
                    Until = null,
                    Token = row.Token + 1,
                    Failures = 0,
                    RetryAt = null,
                    Fault = null,
                },
            cancellationToken
        );
        _worker?.SignalAll();
        return isFound;
    }

    /// <summary>Removes the cursor of a group that has no consumer any more. A consumer that still runs starts as a new group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">Cancels the call if its commit has not begun.</param>
    /// <returns>Whether the group had a cursor.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: nothing was changed.</exception>
    public ValueTask<bool> RemoveAsync(string group, CancellationToken cancellationToken = default) =>
        ChangeAsync(group, static (table, row, ct) => table.RemoveAsync(row.Group, ct), static row => row, cancellationToken);

    private ValueTask<bool> ChangeAsync(
        string group,
        Func<IConsumerTable, ConsumerRow, CancellationToken, ValueTask> save,
        Func<ConsumerRow, ConsumerRow> change,
        CancellationToken cancellationToken
    ) =>
        _store.WriteAsync(
            async (unit, ct) =>
            {
                var table = ConsumerClaim.TableOf(unit);
                if (await table.FindAsync(group, ct) is not { } row)
                    return false;
                await save(table, change(row), ct);
                return true;
            },
            cancellationToken
        );

    private static ConsumerInfo InfoOf(ConsumerRow row, Position head, DateTimeOffset now) =>
        new(row.Group, head with { Offset = Math.Max(row.Through, 0) })
        {
            Lag = Math.Max(head.Offset - Math.Max(row.Through, 0), 0),
            IsHeld = row.Holder is not null && row.Until > now,
            Failures = row.Failures,
            RetryAt = row.RetryAt,
            Fault = row.Fault,
        };
}

/// <summary>The state of a consumer group. Immutable.</summary>
/// <param name="Group">The group.</param>
/// <param name="Position">The stored cursor. All events of the group through it are processed.</param>
public sealed record ConsumerInfo(string Group, Position Position)
{
    /// <summary>Gets the number of events of all topics after the cursor. The cursor is stored at least once in 4,096 events of other
    /// topics.</summary>
    public long Lag { get; init; }

    /// <summary>Gets whether a node holds the group.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Gets the number of failed attempts since the last checkpoint.</summary>
    public int Failures { get; init; }

    /// <summary>Gets when the next attempt begins; null without a failure.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Gets the message of the last failure, at most 500 characters; null without a failure.</summary>
    public string? Fault { get; init; }
}
