namespace Dunlin.Consumers;

/// <summary>The cursor of a group and the claim on it. Immutable.</summary>
/// <param name="Group">The name of the group.</param>
internal sealed record ConsumerRow(string Group)
{
    /// <summary>The value of <see cref="Through"/> before the first read of a group that starts at the oldest event.</summary>
    public const long NotStarted = -1;

    /// <summary>Gets the offset through which all events are processed.</summary>
    public long Through { get; init; }

    /// <summary>Gets the node that holds the claim; null if it is free.</summary>
    public string? Holder { get; init; }

    /// <summary>Gets the fencing token of the last claim. It increases by 1 with each claim and each change of the cursor from
    /// outside.</summary>
    public long Token { get; init; }

    /// <summary>Gets when the claim ends; null if it is free.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Gets the number of failures since the last checkpoint.</summary>
    public int Failures { get; init; }

    /// <summary>Gets when the batch after a failure is delivered again; null without a failure.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Gets the text of the last failure; null without a failure.</summary>
    public string? Fault { get; init; }
}

/// <summary>The groups in one unit of work or read scope. Not thread-safe.</summary>
/// <remarks>An implementation must guarantee that rows commit with the unit of work, and that units of work with rows are
/// serialisable.</remarks>
internal interface IConsumerTable
{
    /// <summary>Returns a group; null if there is none.</summary>
    ValueTask<ConsumerRow?> FindAsync(string group, CancellationToken cancellationToken);

    /// <summary>Returns all groups, by name.</summary>
    ValueTask<IReadOnlyList<ConsumerRow>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Inserts or replaces a group.</summary>
    ValueTask SaveAsync(ConsumerRow row, CancellationToken cancellationToken);

    /// <summary>Removes a group.</summary>
    ValueTask RemoveAsync(string group, CancellationToken cancellationToken);
}

/// <summary>Gives access to the groups of a unit of work or read scope. Implemented by stores that have consumers.</summary>
internal interface IConsumerScope
{
    IConsumerTable Consumers { get; }
}
