using Dunlin.Inspector.Cluster;
using Dunlin.Leases;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Dunlin.Inspector.Leases;

/// <summary>Remembers the last lease changes that this node committed. Bounded by <see cref="InspectorOptions.MaxEntries"/>.
/// Thread-safe.</summary>
internal sealed class LeaseHistory(LeaseService leases, NodeQueries nodes, TimeProvider time, IOptions<InspectorOptions> options)
    : IHostedService
{
    private const int Shown = 200;

    private readonly Ring<LeaseEntry> _changes = new(options.Value.MaxEntries);
    private IDisposable? _subscription;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _subscription = leases.OnChanged(change => _changes.Add(EntryOf(change)));
        nodes.Answer("leases.history", InspectorJson.Default.String, InspectorJson.Default.LeaseEntries, Own);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    public IReadOnlyList<LeaseEntry> OfConnection(string connectionId, int limit) =>
        _changes.Newest(limit, change => change.ConnectionId == connectionId);

    /// <summary>Serves <c>GET api/leases/history?resource=</c>: the last changes of one resource, or of all.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var resource = QueryText.Of(context, "resource") ?? "";
        var own = Own(resource);
        var others = await nodes.AskAsync(
            "leases.history",
            resource,
            InspectorJson.Default.String,
            InspectorJson.Default.LeaseEntries,
            context.RequestAborted
        );
        var changes = own.Changes.Concat(others.Answers.SelectMany(answer => answer.Changes)).OrderByDescending(change => change.At);
        await context.Response.WriteAsJsonAsync(
            new LeaseEntries([.. changes.Take(Shown)], others.Silent),
            InspectorJson.Default.LeaseEntries,
            cancellationToken: context.RequestAborted
        );
    }

    private LeaseEntries Own(string resource) =>
        new(_changes.Newest(Shown, change => resource.Length == 0 || change.Resource == resource), []);

    private LeaseEntry EntryOf(LeaseChange change) =>
        new(
            time.GetUtcNow(),
            change.Kind switch
            {
                LeaseChangeKind.Granted => "granted",
                LeaseChangeKind.Released => "released",
                LeaseChangeKind.Ending => "ending",
                _ => "queued",
            },
            change.Resource.Value,
            change.FencingToken.Number,
            change.Owner.UserId,
            change.Owner.Name,
            nodes.Name,
            change.Owner.ConnectionId,
            change.Kind == LeaseChangeKind.Released ? change.EndReason : null,
            change.Reason
        );
}

internal sealed record LeaseEntry(
    DateTimeOffset At,
    string Kind,
    string Resource,
    long Fence,
    string UserId,
    string Name,
    string Node,
    string? ConnectionId = null,
    string? End = null,
    string? Reason = null
);

internal sealed record LeaseEntries(IReadOnlyList<LeaseEntry> Changes, IReadOnlyList<string> Silent);
