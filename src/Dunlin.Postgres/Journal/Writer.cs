global using WriteRequest = Dunlin.Journal.WriteRequest<Dunlin.Relational.Journal.WriteTransaction>;
using System.Threading.Channels;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dunlin.Postgres.Journal;

/// <summary>
/// The one writer of this node: a loop that takes requests from the queue in batches. A batch is one transaction with one
/// sync: it takes the lock that all nodes share, every unit of work runs in a savepoint, so that a failing one rolls back
/// alone, and plain appends need no statement of their own. Nobody is answered before the commit.
/// <code>
/// take batch -> BEGIN, lock (wait for other nodes) -> take what has come meanwhile -> work of each
///            -> insert all events, notify, COMMIT -> head visible -> CommitFeed, in order -> answers
/// </code>
/// What comes while the lock is waited for joins the batch: a node gets it once for each commit of another, so a batch of what was there
/// when it was asked for would be a fraction of what waits when it is given (decision 13).
/// Units of work of all nodes follow one another, so each runs as if alone, without retries and deadlocks; offsets are taken
/// inside, so they become visible in order (see dunlin_journal).
/// </summary>
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
        // Without the caller's context: its span would become the parent of all that this loop does.
        using (ExecutionContext.SuppressFlow())
            _loop = Task.Run(RunAsync);
    }

    /// <summary>The server process that works for the writer; its own notifications need not wake this node.</summary>
    public int ProcessId => _processId;

    /// <summary>Queues a request; its answer tells the rest.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: it was not queued.</exception>
    public override void Add(WriteRequest request)
    {
        _head.ThrowIfFaulted();
        request.QueuedAt = _settings.Time.GetTimestamp();
        if (!_queue.Writer.TryWrite(request))
        {
            throw PostgresFaults.Unavailable(
                _closing.IsCancellationRequested
                    ? "The store is closed; nothing of this write was kept."
                    : "Too many writes are waiting; nothing of this one was kept."
            );
        }
    }

    /// <summary>Finishes what is queued, as long as the database is there, and refuses the rest.</summary>
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
#pragma warning disable CA1031 // whatever it is, the requests are answered and the loop goes on
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

    /// <summary>Runs one transaction with the first requests of the batch and takes them out of it.</summary>
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
#pragma warning disable CA1031 // the transaction is given up, whatever the reason
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
                        "The database was lost during the commit; whether this was kept is unknown."
                    )
            );
        }
    }

    /// <summary>Opens a transaction and takes the lock; waits for a database that is away as long as the requests have patience.</summary>
    /// <returns>Null where no request is left.</returns>
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
                // The connection may simply have grown old: the first new one is opened at once.
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

    /// <summary>Adds what has come while the lock was waited for.</summary>
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

    /// <summary>Answers those who have given up or waited too long.</summary>
    private bool DropHopeless(LinkedList<WriteRequest> batch, bool isRetry)
    {
        for (var node = batch.First; node is not null; )
        {
            var (request, next) = (node.Value, node.Next);
            Exception? end =
                request.Cancellation.IsCancellationRequested ? new OperationCanceledException(request.Cancellation)
                : isRetry && (_closing.IsCancellationRequested || _settings.Time.GetElapsedTime(request.QueuedAt) >= _settings.Patience)
                    ? PostgresFaults.Unavailable("The database cannot be reached; nothing of this was kept.", _head.Outage)
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

    /// <summary>With the lock held the head cannot lie before what this node had seen when it asked for the lock, unless the database
    /// was set back. What it has seen since may lie beyond: a node that stood still here has lost the lock without knowing yet.</summary>
    private async Task CheckHistoryAsync(WriterSession session, Position known)
    {
        if (JournalHead.Continues(known, session.Start))
            return;
        await CloseAsync();
        throw _head.Fail(
            $"The journal of the database is at {session.Start}, but this node has seen {known}: it was restored or set back. Start the node anew."
        );
    }

    protected override void RaiseHead(Position head) => _head.Raise(head);

    protected override void Measure(WriteRequest request) => _instruments.Answered(_settings.Time.GetElapsedTime(request.QueuedAt));

    protected override bool EndsTransaction(Exception exception) =>
        exception is OperationCanceledException || PostgresFaults.IsTransient(exception);

    protected override Exception Translate(Exception exception) => PostgresFaults.Translate(exception);

    /// <summary>The transaction was not committed. Plain appends are tried again; units of work, which may have told others of
    /// what they did, are not.</summary>
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
                        PostgresFaults.Unavailable(
                            "The write was rolled back together with another one; nothing of this was kept.",
                            exception
                        )
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
#pragma warning disable CA1031 // it is given up whatever it says
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogCloseFailed(exception);
        }
    }

    [LoggerMessage(2122, LogLevel.Debug, "A connection that is given up could not be closed.")]
    private partial void LogCloseFailed(Exception exception);
}
