using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Inspector.Cluster;
using Dunlin.Inspector.Leases;
using Dunlin.Inspector.Refusals;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Dunlin.Inspector.Connections;

/// <summary>Serves the streams of all nodes: the open ones, those that closed, and the life of one.</summary>
internal sealed class ConnectionViews : IHostedService
{
    /// <summary>The largest number of rows of another node: an answer is one transient event.</summary>
    private const int MaxOfOtherNode = 500;

    private const int MaxLife = 100;

    private readonly EventFanout _fanout;
    private readonly NodeQueries _nodes;
    private readonly RefusalLog _refusals;
    private readonly LeaseHistory _leases;
    private readonly Ring<ConnectionRow> _closed;
    private IDisposable? _subscription;

    public ConnectionViews(
        EventFanout fanout,
        NodeQueries nodes,
        RefusalLog refusals,
        LeaseHistory leases,
        IOptions<InspectorOptions> options
    )
    {
        (_fanout, _nodes, _refusals, _leases) = (fanout, nodes, refusals, leases);
        _closed = new Ring<ConnectionRow>(options.Value.MaxEntries);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _subscription = _fanout.OnClosed(closed => _closed.Add(ConnectionRow.Of(closed, _nodes)));
        _nodes.Answer("connections", InspectorJson.Default.ConnectionQuery, InspectorJson.Default.ConnectionList, Own);
        _nodes.Answer("connection", InspectorJson.Default.String, InspectorJson.Default.ConnectionDetails, id => new(Detail(id)));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    public async Task ServeListAsync(HttpContext context)
    {
        var query = new ConnectionQuery(
            QueryText.Of(context, "sort") ?? "lag",
            QueryText.Number(context, "limit", 1_000, 1, 100_000),
            QueryText.Of(context, "q"),
            QueryText.Of(context, "state")
        );
        if (query.Sort is not ("lag" or "opened"))
            throw new DunlinException(ErrorCode.InvalidField, $"'sort' must be 'lag' or 'opened', not '{query.Sort}'.", "sort");
        if (query.State is not (null or "catchingUp" or "live" or "lagging" or "closing" or "closed"))
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"'state' must be 'live', 'catchingUp', 'lagging', 'closing' or 'closed', not '{query.State}'.",
                "state"
            );
        var own = Own(query);
        var others = await _nodes.AskAsync(
            "connections",
            query with
            {
                Limit = Math.Min(query.Limit, MaxOfOtherNode),
            },
            InspectorJson.Default.ConnectionQuery,
            InspectorJson.Default.ConnectionList,
            context.RequestAborted
        );
        var rows =
            others.Answers.Count == 0
                ? own.Connections
                : Sorted(own.Connections.Concat(others.Answers.SelectMany(a => a.Connections)), query);
        await context.Response.WriteAsJsonAsync(
            new ConnectionList(
                rows,
                own.Matching + others.Answers.Sum(answer => answer.Matching),
                own.Total + others.Answers.Sum(answer => answer.Total),
                own.Head,
                others.Silent
            ),
            InspectorJson.Default.ConnectionList,
            cancellationToken: context.RequestAborted
        );
    }

    public async Task ServeDetailAsync(HttpContext context)
    {
        var id = context.Request.RouteValues["id"] as string ?? "";
        var detail = Detail(id);
        if (detail is null)
        {
            var others = await _nodes.AskAsync(
                "connection",
                id,
                InspectorJson.Default.String,
                InspectorJson.Default.ConnectionDetails,
                context.RequestAborted
            );
            detail =
                others.Answers.Select(answer => answer.Detail).FirstOrDefault(found => found is not null)
                ?? throw new DunlinException(
                    ErrorCode.NotFound,
                    "No node knows a stream with this id. It closed long ago, or its node has stopped or does not answer."
                );
        }
        await context.Response.WriteAsJsonAsync(detail, InspectorJson.Default.ConnectionDetail, cancellationToken: context.RequestAborted);
    }

    private ConnectionList Own(ConnectionQuery query)
    {
        if (query.State == "closed")
        {
            var closed = _closed.Newest(int.MaxValue, row => Matches(row, query.Text));
            return new ConnectionList(
                closed.Take(query.Limit).ToList(),
                closed.Count,
                _fanout.ConnectionCount,
                _fanout.DeliveredHead.Offset,
                []
            );
        }
        var all = _fanout.All();
        var found = new List<EventStreamConnection>(all.Count);
        foreach (var connection in all)
        {
            if ((query.State is null || ConnectionRow.StateText(connection.State) == query.State) && Matches(connection, query.Text))
                found.Add(connection);
        }
        // Sort before the rows are made: of ten thousand streams only the first are shown.
        var first =
            query.Sort == "lag"
                ? found.OrderBy(c => c.State == EventStreamState.Live ? long.MaxValue : c.LastSentOffset)
                : found.OrderBy(c => 0);
        var rows = first.ThenByDescending(c => c.OpenedAt).Take(query.Limit).Select(c => ConnectionRow.Of(c, _nodes)).ToList();
        return new ConnectionList(rows, found.Count, all.Count, _fanout.DeliveredHead.Offset, []);
    }

    private static List<ConnectionRow> Sorted(IEnumerable<ConnectionRow> rows, ConnectionQuery query)
    {
        var first = query.Sort == "lag" ? rows.OrderBy(row => row.State == "live" ? long.MaxValue : row.Offset) : rows.OrderBy(row => 0);
        return [.. first.ThenByDescending(row => row.ClosedAt ?? row.OpenedAt).Take(query.Limit)];
    }

    private static bool Matches(EventStreamConnection connection, string? text) =>
        text is null
        || QueryText.Matches(connection.Caller.UserId, text)
        || QueryText.Matches(connection.Caller.Name, text)
        || QueryText.Matches(connection.Caller.DeviceId, text)
        || QueryText.Matches(connection.RemoteAddress, text)
        || connection.Id.StartsWith(text, StringComparison.Ordinal)
        || connection.Topics.Any(topic => QueryText.Matches(topic.Value, text))
        || connection.Patterns.Any(pattern => QueryText.Matches(pattern.Text, text));

    private static bool Matches(ConnectionRow row, string? text) =>
        text is null
        || QueryText.Matches(row.UserId, text)
        || QueryText.Matches(row.Name, text)
        || QueryText.Matches(row.Device, text)
        || QueryText.Matches(row.Address, text)
        || QueryText.Matches(row.Reason, text)
        || row.Id.StartsWith(text, StringComparison.Ordinal)
        || row.Topics.Any(topic => QueryText.Matches(topic, text));

    private ConnectionDetail? Detail(string id)
    {
        var head = _fanout.DeliveredHead.Offset;
        if (_fanout.Find(id) is { } open)
        {
            var row = ConnectionRow.Of(open, _nodes, withAllTopics: true);
            return new ConnectionDetail
            {
                Connection = row,
                OpenedTopics = [.. open.OpenedTopics.Select(topic => topic.Value)],
                Roles = [.. open.Caller.Roles.Order(StringComparer.Ordinal)],
                ExpiresAt = open.Caller.ExpiresAt,
                Conflates = open.Conflates,
                IsPresent = open.IsPresent,
                Head = head,
                Life = LifeOf(row),
            };
        }
        return _closed.Newest(1, row => row.Id == id) is [var closed]
            ? new ConnectionDetail
            {
                Connection = closed,
                Head = head,
                Life = LifeOf(closed),
            }
            : null;
    }

    private List<LifeEntry> LifeOf(ConnectionRow row)
    {
        var life = new List<LifeEntry>
        {
            new(
                row.OpenedAt,
                "opened",
                $"Opened with {(row.TopicCount == 1 ? "one topic" : row.TopicCount + " topics")} on {row.Node}.",
                row.Id
            ),
        };
        if (row.ClosedAt is { } closedAt)
            life.Add(new(closedAt, "closed", EndText(row.Reason), row.Id));
        var before = _closed.Newest(
            MaxLife,
            other => other.Id != row.Id && other.UserId == row.UserId && (row.Device is null || other.Device == row.Device)
        );
        life.AddRange(
            before.Select(other => new LifeEntry(
                other.ClosedAt!.Value,
                "before",
                "Another stream of this device: " + EndText(other.Reason),
                other.Id
            ))
        );
        life.AddRange(
            _refusals
                .OfUser(row.UserId, MaxLife)
                .Select(refusal => new LifeEntry(
                    refusal.LastAt,
                    "refused",
                    $"{refusal.Status} {refusal.Method} {refusal.Path}: {refusal.Detail}"
                ))
        );
        life.AddRange(
            _leases
                .OfConnection(row.Id, MaxLife)
                .Select(change => new LifeEntry(change.At, "lease", $"Lease of {change.Resource}: {change.Kind}."))
        );
        return [.. life.OrderByDescending(entry => entry.At).Take(MaxLife)];
    }

    /// <summary>Explains the reason of an end.</summary>
    private static string EndText(string? reason) =>
        reason switch
        {
            "gone" => "The client closed the connection, was lost, or stopped reading.",
            "draining" => "The node was stopping. It asked the client to reconnect.",
            "tokenExpired" => "The credential expired. The client resumes with a new one.",
            "signedOut" => "The session was ended, or its credentials were revoked.",
            "revoked" => "The caller lost the right to read the last of its topics.",
            "answered" => "The long poll was answered. The client sends the next one.",
            "failed" => "The node could not continue: the journal could not be read, or too much waited for a slow reader.",
            _ => "The stream closed.",
        };
}

internal sealed record ConnectionDetails(ConnectionDetail? Detail = null);
