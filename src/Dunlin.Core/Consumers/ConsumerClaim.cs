using Dunlin.Diagnostics;
using Dunlin.Journal;

namespace Dunlin.Consumers;

/// <summary>The claim of a node on a group. Immutable and thread-safe.</summary>
/// <remarks>
/// <code>
/// free -- claim (token + 1) --> held -- release --> free
///                               held -- end of its time, then claim of another node (token + 1) --> held by the other node
/// </code>
/// Every change of the row compares the token in its unit of work, so a node with an older token changes nothing.
/// </remarks>
/// <param name="group">The group.</param>
/// <param name="token">The fencing token.</param>
/// <param name="duration">The time by which each change extends the claim.</param>
internal sealed class ConsumerClaim(string group, long token, TimeSpan duration)
{
    private const int MaxFault = 500;

    public string Group => group;

    public long Token => token;

    /// <summary>Claims a group if no other node holds it. Creates the group if there is none.</summary>
    /// <param name="unit">The unit of work.</param>
    /// <param name="request">The group, the node and its settings.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The claim and the row; or no claim, and the row of the other node.</returns>
    public static async ValueTask<(ConsumerClaim? Claim, ConsumerRow Row)> TryAsync(
        IUnitOfWork unit,
        ClaimRequest request,
        CancellationToken cancellationToken
    )
    {
        var table = TableOf(unit);
        var row = await table.FindAsync(request.Group, cancellationToken) ?? await CreateAsync(unit, request, cancellationToken);
        if (row.Holder is not null && row.Holder != request.Node && row.Until > unit.Now && !request.IsAlone)
            return (null, row);
        row = row with { Holder = request.Node, Token = row.Token + 1, Until = unit.Now + request.Duration };
        await table.SaveAsync(row, cancellationToken);
        return (new ConsumerClaim(request.Group, row.Token, request.Duration), row);
    }

    public static IConsumerTable TableOf(object scope) =>
        scope is IConsumerScope consumers
            ? consumers.Consumers
            : throw new NotSupportedException($"{scope.GetType().Name} has no event consumers: this store does not support them.");

    /// <summary>Moves the cursor, clears the failures and extends the claim. Never moves the cursor backwards.</summary>
    public ValueTask CheckpointAsync(IUnitOfWork unit, long through, CancellationToken cancellationToken) =>
        ChangeAsync(unit, row => Advance(row, through), cancellationToken);

    /// <summary>Stores a failure and extends the claim.</summary>
    public ValueTask FailAsync(IUnitOfWork unit, int failures, TimeSpan delay, string fault, CancellationToken cancellationToken) =>
        ChangeAsync(
            unit,
            row =>
                row with
                {
                    Failures = failures,
                    RetryAt = unit.Now + delay,
                    Fault = fault.Length > MaxFault ? fault[..MaxFault] : fault,
                },
            cancellationToken
        );

    /// <summary>Extends the claim.</summary>
    public ValueTask RenewAsync(IUnitOfWork unit, CancellationToken cancellationToken) =>
        ChangeAsync(unit, static row => row, cancellationToken);

    /// <summary>Moves the cursor to the progress of the node, and frees the group for other nodes. Does nothing if the claim is
    /// lost.</summary>
    public async ValueTask ReleaseAsync(IUnitOfWork unit, long through, CancellationToken cancellationToken)
    {
        var table = TableOf(unit);
        if (await table.FindAsync(group, cancellationToken) is not { Holder: not null } row || row.Token != token)
            return;
        if (through > row.Through)
            row = Advance(row, through);
        await table.SaveAsync(row with { Holder = null, Until = null }, cancellationToken);
    }

    private async ValueTask ChangeAsync(IUnitOfWork unit, Func<ConsumerRow, ConsumerRow> change, CancellationToken cancellationToken)
    {
        var table = TableOf(unit);
        if (await table.FindAsync(group, cancellationToken) is not { Holder: not null } row || row.Token != token)
            throw Lost();
        await table.SaveAsync(change(row) with { Until = unit.Now + duration }, cancellationToken);
    }

    private static async ValueTask<ConsumerRow> CreateAsync(IUnitOfWork unit, ClaimRequest request, CancellationToken cancellationToken) =>
        new(request.Group)
        {
            Through =
                request.Start == ConsumerStart.Oldest
                    ? ConsumerRow.NotStarted
                    : (await unit.NextPositionAsync(cancellationToken)).Offset - 1,
        };

    private static ConsumerRow Advance(ConsumerRow row, long through) =>
        row with
        {
            Through = Math.Max(row.Through, through),
            Failures = 0,
            RetryAt = null,
            Fault = null,
        };

    /// <summary>Returns the exception for a node that has lost the claim.</summary>
    public DunlinException Lost() =>
        new(
            ErrorCode.LeaseLost,
            $"This node no longer holds the consumer group '{group}' (token {token}): another node claimed it, or its cursor was changed."
        );
}

/// <summary>What a node needs to claim a group.</summary>
/// <param name="Group">The group.</param>
/// <param name="Node">The id of the node.</param>
/// <param name="Duration">The duration of the claim.</param>
/// <param name="Start">Where a new group starts.</param>
/// <param name="IsAlone">Whether no other process can use the store, so that the claim of another node is one of a process that has
/// ended.</param>
internal sealed record ClaimRequest(string Group, string Node, TimeSpan Duration, ConsumerStart Start, bool IsAlone);
