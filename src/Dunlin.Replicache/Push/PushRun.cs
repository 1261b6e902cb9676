using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Replicache.Pokes;
using Dunlin.Topics;

namespace Dunlin.Replicache.Push;

/// <summary>The reason why a run of mutations ended.</summary>
internal enum PushStop
{
    /// <summary>All mutations are processed.</summary>
    None,

    /// <summary>A mutation is missing before the next one.</summary>
    Gap,

    /// <summary>The group was removed, or the next mutation belongs to an unknown client and is not its first one.</summary>
    UnknownClient,

    /// <summary>The user or the push has reached a limit.</summary>
    Limit,
}

/// <summary>A mutator has thrown an exception. The whole run is rolled back.</summary>
internal sealed class MutatorFailedException(int index, Exception cause) : Exception(cause.Message, cause)
{
    public int Index { get; } = index;
}

/// <summary>Runs consecutive mutations of one push in one unit of work, all or none. Not thread-safe.</summary>
/// <remarks>The unit contains the checks of group, client and order, the mutators, the last mutation ids, and the pokes.</remarks>
internal sealed class PushRun(
    PushRequest request,
    int from,
    int to,
    IReadOnlySet<int> failed,
    PushBudget budget,
    Caller caller,
    MutatorSet mutators,
    IServiceProvider services,
    ReplicacheOptions options
)
{
    private readonly Dictionary<string, ClientState> _clients = new(StringComparer.Ordinal);

    /// <summary>Gets the index of the running mutation, or null between mutations.</summary>
    public int? Running { get; private set; }

    /// <summary>Gets the token of the unit of work, which is cancelled at its time limit.</summary>
    public CancellationToken Limit { get; private set; }

    public int Applied { get; private set; }

    public int Repeated { get; private set; }

    /// <summary>Gets the index of the first mutation that is not processed.</summary>
    public int Next { get; private set; }

    public async ValueTask<PushStop> RunAsync(IUnitOfWork unit, CancellationToken cancellationToken)
    {
        Limit = cancellationToken;
        var groups = new ClientGroups(unit.RecordTables().Records);
        var state = await groups.RequireOwnAsync(request.ClientGroupId, caller.UserId, unit.Now, cancellationToken);
        if (state == GroupState.Removed)
            return PushStop.UnknownClient;
        // Also without a new mutation: in this unit of work, so that a removal after it does not find the group idle.
        if (state == GroupState.Unseen)
            await groups.SeeAsync(request.ClientGroupId, unit.Now, cancellationToken);
        var records = unit.Records(caller.AsOrigin());
        var stop = PushStop.None;
        for (Next = from; Next < to && stop == PushStop.None; Next += stop == PushStop.None ? 1 : 0)
            stop = await StepAsync(unit, groups, records, cancellationToken);
        if (Applied > 0)
            await CloseAsync(unit, groups, records, state != GroupState.Unknown, cancellationToken);
        return stop;
    }

    private async ValueTask<PushStop> StepAsync(
        IUnitOfWork unit,
        ClientGroups groups,
        RecordWriter records,
        CancellationToken cancellationToken
    )
    {
        var mutation = request.Mutations[Next];
        if (!_clients.TryGetValue(mutation.ClientId, out var client))
        {
            var last = await groups.FindLastMutationAsync(request.ClientGroupId, mutation.ClientId, cancellationToken);
            _clients.Add(mutation.ClientId, client = new ClientState(last is null, last ?? 0));
        }
        if (mutation.Id <= client.LastMutation)
        {
            Repeated++;
            return PushStop.None;
        }
        if (mutation.Id > client.LastMutation + 1)
            return client.IsNew && client.LastMutation == 0 ? PushStop.UnknownClient : PushStop.Gap;
        if (!budget.MayDo(Next))
            return PushStop.Limit;
        if (!failed.Contains(Next))
            await MutateAsync(mutation, unit, records, cancellationToken);
        client.LastMutation = mutation.Id;
        client.IsChanged = true;
        Applied++;
        return PushStop.None;
    }

    private async ValueTask MutateAsync(PushedMutation pushed, IUnitOfWork unit, RecordWriter records, CancellationToken cancellationToken)
    {
        Running = Next;
        try
        {
            var mutator = mutators.Find(pushed.Name) ?? throw new UnknownMutatorException(pushed.Name);
            ArgsBounds.Check(pushed.ArgsText.Span, options);
            var mutation = new Mutation(pushed.Name, pushed.Id, pushed.ClientId, caller, unit, records, services);
            await mutator.RunAsync(mutation, pushed.Args, cancellationToken);
        }
        catch (Exception exception) when (!IsTemporary(exception, cancellationToken))
        {
            throw new MutatorFailedException(Next, exception);
        }
        Running = null;
    }

    private async ValueTask CloseAsync(
        IUnitOfWork unit,
        ClientGroups groups,
        RecordWriter records,
        bool isKnown,
        CancellationToken cancellationToken
    )
    {
        // The version of these rows is the position of the pusher's poke, which is appended next. Each processed mutation, including a
        // failed one, therefore advances the cookie of its group.
        var users = await records.AffectedUsersAsync(cancellationToken);
        budget.TakeClients(_clients.Values.Count(client => client is { IsNew: true, IsChanged: true }) + (isKnown ? 0 : 1));
        var version = (await unit.NextPositionAsync(cancellationToken)).Offset;
        if (!isKnown)
            await groups.AddGroupAsync(request.ClientGroupId, caller.UserId, unit.Now, cancellationToken);
        foreach (var (clientId, client) in _clients)
        {
            if (!client.IsChanged)
                continue;
            if (client.IsNew)
                await groups.AddClientAsync(request.ClientGroupId, clientId, version, cancellationToken);
            await groups.SaveLastMutationAsync(request.ClientGroupId, clientId, client.LastMutation, version, cancellationToken);
        }
        await unit.AppendPokeAsync(caller.UserId, caller.AsOrigin(), cancellationToken);
        foreach (var userId in users)
        {
            if (userId != caller.UserId)
                await unit.AppendPokeAsync(userId, caller.AsOrigin(), cancellationToken);
        }
    }

    // A fault of the store or the time limit, which is no permanent error of the mutation.
    private static bool IsTemporary(Exception exception, CancellationToken cancellationToken) =>
        exception is DunlinException { Code.Status: >= 500 } || cancellationToken.IsCancellationRequested;

    private sealed class ClientState(bool isNew, long lastMutation)
    {
        public bool IsNew { get; } = isNew;

        public long LastMutation { get; set; } = lastMutation;

        public bool IsChanged { get; set; }
    }
}

/// <summary>The exception for a mutation whose mutator the server does not have.</summary>
internal sealed class UnknownMutatorException(string name) : Exception($"No mutator '{name}'.");
