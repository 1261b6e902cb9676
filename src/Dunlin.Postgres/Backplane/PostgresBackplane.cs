using System.Security.Cryptography;
using System.Threading.Channels;
using Dunlin.Backplane;
using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Dunlin.Scheduling;
using Dunlin.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Backplane;

/// <summary>The backplane for nodes that share only the database. Thread-safe.</summary>
/// <remarks>
/// The store detects commits itself (<see cref="HeadWatcher"/>), so this backplane sends no commit notifications. It sends transient events
/// in groups through a small unlogged table, with an empty NOTIFY. Delivery is best effort: while the database is unreachable, transient
/// events are lost. A faster backplane may wrap this one.
/// </remarks>
internal sealed class PostgresBackplane : IHostedService, IStoreBackplane
{
    /// <summary>The maximum number of queued events. Further events are dropped.</summary>
    private const int MaxWaiting = 10_000;

    private const int MaxGroup = 500;
    private const string Channel = "dunlin_transient";

    private static readonly LoopBackoff Backoff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2));
    private static readonly TimeSpan ForgetInterval = TimeSpan.FromSeconds(30);

    private static readonly SqlText Add = new("transient_add");
    private static readonly SqlText Read = new("transient_read");
    private static readonly SqlText Seen = new("transient_seen");
    private static readonly SqlText Forget = new("transient_forget");
    private static readonly SqlText SendNotification = new("notify");

    private readonly Lock _numbering = new(); // guards _number, so that the outbox is in the order of numbers
    private readonly Channel<NumberedEvent> _outbox = System.Threading.Channels.Channel.CreateBounded<NumberedEvent>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite }
    );

    private readonly Dictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private Action<NumberedEvent>? _heard;
    private long _number;
    private readonly PostgresStore _store;
    private readonly BackgroundLoop _sending;
    private readonly BackgroundLoop _receiving;

    public PostgresBackplane(PostgresStore store, ILogger<PostgresBackplane> logger, BackgroundLoops? loops = null)
    {
        _store = store;
        _sending = new BackgroundLoop("transient events to other nodes", SendAsync, TimeProvider.System, logger, Backoff, loops);
        _receiving = new BackgroundLoop("transient events of other nodes", ReceiveAsync, TimeProvider.System, logger, Backoff, loops);
    }

    /// <summary>Returns a task that completes when this node first receives events of other nodes.</summary>
    internal Task Listening => _listening.Task;

    public void Attach(IBackplaneNode node) => Attach(_id, heard => node.OnTransient(heard.Event));

    public void Attach(string node, Action<NumberedEvent> heard)
    {
        if (Interlocked.CompareExchange(ref _heard, heard, null) is not null)
            throw new InvalidOperationException("This PostgreSQL backplane already connects a node. Create one for each node.");
        _id = node;
    }

    public void Notify(IBackplaneNode from, IReadOnlyList<DunlinEvent> committed)
    {
        // The committing transaction has already sent its notification.
    }

    public void HintsCome(bool areComing) => _store.Expected.HintsCome = areComing;

    public void Hinted(Position first, Position last) => _store.Hinted(first, last);

    public void Transient(IBackplaneNode from, DunlinEvent entry)
    {
        lock (_numbering)
            Send(new NumberedEvent(_id, ++_number, entry));
    }

    public void Send(NumberedEvent sent) => _outbox.Writer.TryWrite(sent);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _sending.Start();
        _receiving.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_sending.StopAsync(cancellationToken), _receiving.StopAsync(cancellationToken));

    private async Task SendAsync(BackgroundLoop loop, CancellationToken stop)
    {
        var group = new List<NumberedEvent>();
        while (await _outbox.Reader.WaitToReadAsync(stop))
        {
            group.Clear();
            while (group.Count < MaxGroup && _outbox.Reader.TryRead(out var entry))
                group.Add(entry);
            await _store.QueryAsync(
                async (connection, ct) =>
                {
                    await using var batch = new NpgsqlBatch(connection);
                    batch.Add(
                        Add,
                        Statements.Text(_id),
                        Statements.Numbers(group.Select(e => e.Number)),
                        Statements.Texts(group.Select(e => e.Event.Topic.Value)),
                        Statements.Texts(group.Select(e => e.Event.Type)),
                        Statements.Byteas(group.Select(e => e.Event.Data)),
                        Statements.Texts(group.Select(e => e.Event.Origin?.UserId)),
                        Statements.Texts(group.Select(e => e.Event.Origin?.SessionId)),
                        Statements.Texts(group.Select(e => e.Event.Origin?.ConnectionId)),
                        Statements.Texts(group.Select(e => e.Event.Origin?.DeviceId)),
                        Statements.Numbers(group.Select(e => e.Event.Time.UtcTicks)),
                        Statements.Byteas(group.Select(e => e.Event.EncodedExtra))
                    );
                    batch.Add(SendNotification, Statements.Text(Channel), Statements.Text(""));
                    return await batch.ExecuteNonQueryAsync(ct);
                },
                stop
            );
            loop.ReportSuccess();
        }
    }

    private async Task ReceiveAsync(BackgroundLoop loop, CancellationToken stop)
    {
        await _store.OpenAsync(stop);
        await using var connection = await _store.OpenConnectionAsync(stop);
        var notifications = new Notifications(connection);
        var listens = !_store.Options.ThroughPooler;
        if (listens)
        {
            await using var listen = new NpgsqlCommand("LISTEN " + Channel, connection);
            await listen.ExecuteNonQueryAsync(stop);
        }
        // Events sent while this node was absent or disconnected are skipped.
        await using (var seen = connection.Command(Seen))
        await using (var row = await seen.ExecuteReaderAsync(stop))
        {
            while (await row.ReadAsync(stop))
                _seen[row.GetString(0)] = row.GetInt64(1);
        }
        _listening.TrySetResult();
        loop.ReportSuccess();
        var forgotten = TimeProvider.System.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            if (listens)
                await notifications.WaitAsync(ForgetInterval, stop);
            else
                await Task.Delay(_store.Options.PollInterval, TimeProvider.System, stop);
            await DeliverAsync(connection, stop);
            if (TimeProvider.System.GetElapsedTime(forgotten) < ForgetInterval)
                continue;
            forgotten = TimeProvider.System.GetTimestamp();
            await using var forget = connection.Command(Forget);
            await forget.ExecuteNonQueryAsync(stop);
        }
    }

    private async Task DeliverAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = connection.Command(
            Read,
            Statements.Text(_id),
            Statements.Texts(_seen.Keys),
            Statements.Numbers(_seen.Values)
        );
        await using var row = await command.ExecuteReaderAsync(stop);
        while (await row.ReadAsync(stop))
        {
            _seen[row.GetString(0)] = row.GetInt64(1);
            var origin = Enumerable.Range(5, 4).All(row.IsDBNull)
                ? null
                : new EventOrigin(row.TextOrNull(5), row.TextOrNull(6), row.TextOrNull(7), row.TextOrNull(8));
            var draft = EventDraft.OfEngine(
                TopicName.FromStored(row.GetString(2)),
                row.GetString(3),
                (ReadOnlyMemory<byte>)row.GetFieldValue<byte[]>(4),
                origin,
                row.IsDBNull(10) ? null : EventExtra.Decode(row.GetFieldValue<byte[]>(10))
            );
            _heard?.Invoke(new NumberedEvent(row.GetString(0), row.GetInt64(1), DunlinEvent.Transient(draft, row.Time(9))));
        }
    }
}
