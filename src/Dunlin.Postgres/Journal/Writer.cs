global using WriteRequest = Dunlin.Journal.WriteRequest<Dunlin.Relational.Journal.WriteTransaction>;
using System.Threading.Channels;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>The only writer of this node: a loop that takes requests from the queue in batches. Thread-safe.</summary>
/// <remarks>
/// A batch is one transaction with one sync. It takes the lock that all nodes share. Each unit of work runs in a savepoint, so a failed
/// unit rolls back alone. Plain appends need no separate statement. No request completes before the commit.
/// <code>
/// take batch -> BEGIN, lock (wait for other nodes) -> take requests that arrived meanwhile -> work of each
///            -> insert all events, notify, COMMIT -> head visible -> CommitFeed, in order -> complete the requests
/// </code>
/// Requests that arrive during the wait for the lock join the batch. A node gets the lock once per commit of another node, so a batch
/// without them would be a fraction of the queue (decision 13).
/// <para>
/// Units of work of all nodes run one after another, so each runs as if alone, without retries and deadlocks. Offsets are assigned inside
/// the transaction, so they become visible in order (see the table dunlin_journal).
/// </para>
/// </remarks>
internal sealed partial class Writer : BatchWriter, IAsyncDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);

    private readonly Channel<WriteRequest> _queue = Channel.CreateBounded<WriteRequest>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true }
    );
    private readonly NpgsqlDataSource _database;
    private readonly WriterSettings _settings;
    private readonly JournalHead _head;
    private readonly JournalInstruments _instruments;
    private readonly ILogger _logger;
    private readonly KnownTopics _topics = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _loop;
    private NpgsqlConnection? _connection;
    private volatile int _processId;

    public Writer(
        NpgsqlDataSource database,
        WriterSettings settings,
        JournalHead head,
        CommitFeed feed,
        JournalInstruments instruments,
        ILogger logger
    )
        : base(feed, instruments, logger)
    {
        _database = database;
        _settings = settings;
        _head = head;
        _instruments = instruments;
        _logger = logger;
        instruments.Watch(() => _queue.Reader.Count);
        // Starts without the caller's execution context. Otherwise the caller's span would become the parent of all spans of this loop.
        using (ExecutionContext.SuppressFlow())
            _loop = Task.Run(RunAsync);
    }

    /// <summary>Gets the id of the writer's server process. This node ignores notifications of that process.</summary>
    public int ProcessId => _processId;

    /// <summary>Queues a request. The request itself reports its result.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the request was not queued.</exception>
    public override void Add(WriteRequest request)
    {
        _head.ThrowIfFaulted();
        request.QueuedAt = _settings.Time.GetTimestamp();
        if (!_queue.Writer.TryWrite(request))
        {
            throw PostgresFaults.Unavailable(
                _closing.IsCancellationRequested
                    ? "The store is closed; nothing was stored."
                    : "Too many writes wait for the store; nothing was stored."
            );
        }
    }

    /// <summary>Completes the queued requests as long as the database is reachable, and refuses new ones.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _queue.Writer.TryComplete();
        await _loop;
        await CloseAsync();
        _closing.Dispose();
    }

    // No BackgroundLoop: a fault belongs to the requests of its batch, and the next batch must not wait for a back-off.
    private async Task RunAsync()
    {
        var batch = new LinkedList<WriteRequest>();
        while (await _queue.Reader.WaitToReadAsync())
        {
            Take(batch);
            while (batch.Count > 0)
            {
                try
                {
                    await RunTransactionAsync(batch);
                }
#pragma warning disable CA1031 // any exception fails the batch, and the loop continues
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    LogRolledBack(exception, batch.Count);
                    Fail(batch, () => PostgresFaults.Translate(exception));
                    batch.Clear();
                    await CloseAsync();
                }
            }
        }
    }

    private void Take(LinkedList<WriteRequest> batch)
    {
        var (events, bytes) = (batch.Sum(request => request.Count), batch.Sum(request => request.Bytes));
        while (_queue.Reader.TryPeek(out var next))
        {
            events += next.Count;
            bytes += next.Bytes;
            if (batch.Count > 0 && (events > MaxBatchEvents || bytes > MaxBatchBytes))
                return;
            _queue.Reader.TryRead(out _);
            batch.AddLast(next);
        }
    }

    /// <summary>Runs one transaction with the first requests of the batch, and removes them from the batch.</summary>
    private async Task RunTransactionAsync(LinkedList<WriteRequest> batch)
    {
        using var span = CommitSpan.Start();
        if (await BeginAsync(batch) is not { } session)
            return;
        Executed.Clear();
        var began = _settings.Time.GetTimestamp();
        try
        {
            await JoinAsync(session, batch);
            while (batch.First is { } first && (Executed.Count == 0 || _settings.Time.GetElapsedTime(began) < MaxBatchTime))
            {
                batch.RemoveFirst();
                await ExecuteAsync(session, first.Value);
            }
        }
#pragma warning disable CA1031 // any exception rolls back the transaction
        catch (Exception exception)
#pragma warning restore CA1031
        {
            span?.Failed(exception);
            await GiveUpAsync(batch, exception);
            return;
        }
        bool? committed;
        try
        {
            span?.Link(Executed);
            await session.CommitAsync();
            committed = true;
        }
#pragma warning disable CA1031
        catch (Exception exception)
#pragma warning restore CA1031
        {
            committed = await ResolveAsync(session, exception);
            if (committed != true)
                span?.Failed(exception);
            if (committed == false)
                await GiveUpAsync(batch, exception);
        }
        if (committed == true)
        {
            span?.Committed(session.Events.Count);
            Announce(session);
        }
        else if (committed is null)
        {
            Fail(
                Executed,
                static () =>
                    new DunlinException(
                        ErrorCode.OutcomeUnknown,
                        "The connection to the database was lost during the commit; the change may have been stored."
                    )
            );
        }
    }

    /// <summary>Opens a transaction and takes the lock. While the database is unreachable, it retries until the requests time
    /// out.</summary>
    /// <returns>Null if no request is left.</returns>
    private async Task<WriterSession?> BeginAsync(LinkedList<WriteRequest> batch)
    {
        var delay = TimeSpan.Zero;
        while (DropHopeless(batch, delay > TimeSpan.Zero))
        {
            try
            {
                _connection ??= await _database.OpenConnectionAsync();
                var known = _head.Position;
                var session = new WriterSession(_connection, _settings, _topics);
                await session.BeginAsync(batch);
                _processId = session.ProcessId;
                await CheckHistoryAsync(session, known);
                _head.Reached();
                return session;
            }
            catch (Exception exception) when (exception is not DunlinException)
            {
                // The connection may only have been closed by the server: the first new one is opened without a delay.
                await CloseAsync();
                _head.Lost(exception);
                if (!PostgresFaults.IsTransient(exception))
                    throw;
                if (delay > TimeSpan.Zero)
                    await Task.Delay(delay, _settings.Time);
                delay =
                    delay == TimeSpan.Zero ? FirstDelay
                    : delay < MaxDelay ? 2 * delay
                    : MaxDelay;
            }
        }
        return null;
    }

    /// <summary>Adds the requests that arrived during the wait for the lock.</summary>
    private async Task JoinAsync(WriterSession session, LinkedList<WriteRequest> batch)
    {
        var last = batch.Last!;
        Take(batch);
        var keys = new List<IdempotencyKey>();
        for (var node = last.Next; node is not null; )
        {
            var (request, next) = (node.Value, node.Next);
            if (request.Cancellation.IsCancellationRequested)
            {
                batch.Remove(node);
                request.Fail(new OperationCanceledException(request.Cancellation));
            }
            else if (request.Key is { } key)
            {
                keys.Add(key);
            }
            node = next;
        }
        if (keys.Count > 0)
            await session.FindAnswersAsync(keys);
    }

    /// <summary>Fails the requests that were cancelled or have waited too long.</summary>
    private bool DropHopeless(LinkedList<WriteRequest> batch, bool isRetry)
    {
        for (var node = batch.First; node is not null; )
        {
            var (request, next) = (node.Value, node.Next);
            Exception? end =
                request.Cancellation.IsCancellationRequested ? new OperationCanceledException(request.Cancellation)
                : isRetry && (_closing.IsCancellationRequested || _settings.Time.GetElapsedTime(request.QueuedAt) >= _settings.Patience)
                    ? PostgresFaults.Unavailable("The database cannot be reached; nothing was stored.", _head.Outage)
                : null;
            if (end is not null)
            {
                batch.Remove(node);
                request.Fail(end);
            }
            node = next;
        }
        return batch.Count > 0;
    }

    /// <summary>Compares the head that was read under the lock with the one known when the lock was requested. It can be lower only if the
    /// database was restored. The current known head may be higher: if this node stalls here, it loses the lock and other nodes
    /// commit.</summary>
    private async Task CheckHistoryAsync(WriterSession session, Position known)
    {
        if (JournalHead.Continues(known, session.Start))
            return;
        await CloseAsync();
        throw _head.Fail(
            $"The journal of the database is at {session.Start}, but this node has read {known}: the database was restored. Restart the node."
        );
    }

    protected override void RaiseHead(Position head) => _head.Raise(head);

    protected override void Measure(WriteRequest request) => _instruments.Answered(_settings.Time.GetElapsedTime(request.QueuedAt));

    protected override bool EndsTransaction(Exception exception) =>
        exception is OperationCanceledException || PostgresFaults.IsTransient(exception);

    protected override Exception Translate(Exception exception) => PostgresFaults.Translate(exception);

    /// <summary>Handles a transaction that was not committed. It retries plain appends, but not units of work, which may have had effects
    /// outside the database.</summary>
    private async Task GiveUpAsync(LinkedList<WriteRequest> batch, Exception exception)
    {
        LogRolledBack(exception, Executed.Count);
        if (exception is UnitAbandonedException abandoned)
            await AbandonAsync(abandoned.Running);
        else
            await CloseAsync();
        var isLost = PostgresFaults.IsLost(exception) || exception is UnitAbandonedException;
        for (var i = Executed.Count - 1; i >= 0; i--)
        {
            if (!Executed[i].IsUnit && isLost)
                batch.AddFirst(Executed[i]);
            else if (!Executed[i].IsAnswered)
                Executed[i]
                    .Fail(
                        PostgresFaults.Unavailable("The write was rolled back together with another one; nothing was stored.", exception)
                    );
        }
        Executed.Clear();
    }

    private Task CloseAsync()
    {
        var connection = _connection;
        _connection = null;
        return CloseAsync(connection);
    }

    private async Task CloseAsync(NpgsqlConnection? connection)
    {
        try
        {
            if (connection is not null)
                await connection.DisposeAsync();
        }
#pragma warning disable CA1031 // the connection is abandoned in any case
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogCloseFailed(exception);
        }
    }
}
