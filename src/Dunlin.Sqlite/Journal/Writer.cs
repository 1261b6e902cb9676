global using WriteRequest = Dunlin.Journal.WriteRequest<Dunlin.Relational.Journal.WriteTransaction>;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Dunlin.Sqlite.Schema;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>The writer thread, which owns the only writing connection and takes requests from the queue in batches. Thread-safe.</summary>
/// <remarks>
/// A batch is one transaction with one sync (group commit). Each request has its own savepoint, so a failed request rolls back alone. No
/// request completes before the commit.
/// <code>
/// take batch -> BEGIN IMMEDIATE -> (SAVEPOINT, work, RELEASE | ROLLBACK TO) for each -> COMMIT (sync)
///            -> head visible -> CommitFeed, in order -> complete the requests -> checkpoint if due
/// </code>
/// Order of commit: one transaction runs at a time and assigns the offsets, so they become visible in order.
/// </remarks>
internal sealed partial class Writer : BatchWriter, IDisposable
{
    private readonly WriteQueue _queue = new(MaxWaiting);
    private readonly WriterSettings _settings;
    private readonly Thread _thread;
    private readonly UnitLimit _limit;
    private readonly StoreClock _clock;
    private readonly JournalInstruments _instruments;
    private readonly ILogger _logger;
    private readonly Checkpointer _checkpointer;
    private WriterSession _session;
    private long _head;
    private Exception? _fault;

    public Writer(WriterSettings settings, CommitFeed feed, StoreClock clock, JournalInstruments instruments, ILogger logger)
        : base(feed, instruments, logger)
    {
        _settings = settings;
        _clock = clock;
        _instruments = instruments;
        _logger = logger;
        _head = settings.Head.Offset;
        _limit = new UnitLimit(settings.WriteLimit, clock.TimeProvider);
        _checkpointer = new Checkpointer(settings.BusyTimeout, logger);
        _session = new WriterSession(settings.Database, clock, _limit, settings.Head, settings.FencingToken);
        instruments.Watch(() => _queue.Length);
        _thread = new Thread(Run) { Name = "Dunlin SQLite writer", IsBackground = true };
        // Starts without the caller's execution context. Otherwise the caller's span would become the parent of all spans of this thread.
        _thread.UnsafeStart();
    }

    /// <summary>Gets the last position that is visible to readers.</summary>
    public Position Head => _settings.Head with { Offset = Volatile.Read(ref _head) };

    public Exception? Fault => Volatile.Read(ref _fault);

    /// <summary>Queues a request.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: the request was not queued.</exception>
    public override void Add(WriteRequest request)
    {
        ThrowIfFaulted();
        request.QueuedAt = _instruments.Timestamp();
        switch (_queue.Add(request))
        {
            case WriteQueue.Admission.Full:
                throw Unavailable("Too many writes wait for the store; nothing was stored.", null);
            case WriteQueue.Admission.Closed:
                throw Unavailable("The store is closed; nothing was stored.", null);
        }
    }

    public void ThrowIfFaulted()
    {
        if (Fault is { } fault)
            throw Faulty(fault);
    }

    /// <summary>Completes the queued requests, refuses new ones and closes the connection.</summary>
    public void Dispose()
    {
        _queue.Close();
        _thread.Join();
        if (Fault is null)
            _checkpointer.RunLast(_session.Database);
        _session.Dispose();
        _limit.Dispose();
    }

    protected override void RaiseHead(Position head) => Volatile.Write(ref _head, head.Offset);

    protected override void Measure(WriteRequest request) => _instruments.Answered(request.QueuedAt);

    protected override bool IsFatal(Exception exception) => SqliteFaults.IsFatal(exception);

    protected override bool EndsTransaction(Exception exception) => SqliteFaults.RollsBack(exception);

    protected override Exception Translate(Exception exception) => SqliteFaults.Translate(exception);

    // No BackgroundLoop: SQLite blocks, so it has a thread of its own, which a fault stops for good.
    private void Run()
    {
        var batch = new List<WriteRequest>();
        while (_queue.Take(batch))
        {
            for (var next = 0; next < batch.Count; )
                next = RunTransaction(batch, next);
        }
    }

    /// <summary>Runs one transaction with the requests from <paramref name="start"/> on.</summary>
    /// <returns>The index of the next request.</returns>
    private int RunTransaction(List<WriteRequest> batch, int start)
    {
        if (Fault is { } fault)
        {
            Fail(batch.Skip(start), () => Faulty(fault));
            return batch.Count;
        }
        Executed.Clear();
        var (next, isCommitting) = (start, false);
        using var span = CommitSpan.Start();
        var began = _clock.TimeProvider.GetTimestamp();
        try
        {
            _session.BeginTransaction(HasUnit(batch, start));
            while (next < batch.Count && (next == start || _clock.TimeProvider.GetElapsedTime(began) < MaxBatchTime))
                ExecuteAsync(_session, batch[next++]).GetAwaiter().GetResult(); // completes synchronously: see UnitLimit
            isCommitting = true;
            span?.Link(Executed);
            _session.CommitTransaction();
        }
        catch (Exception exception)
        {
            // If BEGIN failed, no request of the batch can run. Otherwise the changes of the executed requests are lost.
            next = next == start ? batch.Count : next;
            span?.Failed(exception);
            GiveUp(exception, batch.GetRange(start, next - start), isCommitting);
            return next;
        }
        span?.Committed(_session.Events.Count);
        Announce(_session);
        CheckpointIfDue();
        return next;
    }

    private void CheckpointIfDue()
    {
        try
        {
            _checkpointer.RunIfDue(_session.Database);
        }
        catch (SqliteException exception) when (SqliteFaults.IsFatal(exception))
        {
            BecomeFaulty(exception);
        }
    }

    /// <summary>Rolls back a transaction that cannot be committed, and fails its pending requests.</summary>
    private void GiveUp(Exception exception, List<WriteRequest> requests, bool isCommitting)
    {
        var isUsable = _session.RollbackTransaction() && exception is not UnitAbandonedException;
        if (SqliteFaults.IsFatal(exception))
        {
            BecomeFaulty(exception);
            // The outcome of a failed sync is known only after the file is read again. Before the commit, nothing is kept.
            Fail(
                requests,
                () =>
                    isCommitting
                        ? new DunlinException(
                            ErrorCode.OutcomeUnknown,
                            "The store failed during the commit; the change may have been stored. Restart the process, then read the state.",
                            null,
                            exception
                        )
                        : Unavailable("The store failed; nothing was stored.", exception)
            );
            return;
        }
        LogRolledBack(exception, requests.Count);
        Fail(requests, () => Unavailable(SqliteFaults.Reason(exception), exception));
        if (!isUsable)
            Reconnect();
    }

    /// <summary>Abandons the connection, which a unit of work may still use, and opens another one.</summary>
    private void Reconnect()
    {
        var old = _session;
        try
        {
            raw.sqlite3_interrupt(old.Database.Handle);
            old.Dispose();
        }
        catch (Exception exception)
        {
            LogCloseFailed(exception);
        }
        try
        {
            _session = new WriterSession(_settings.Open(), _clock, _limit, Head, old.FencingToken);
            LogReconnected();
        }
        catch (Exception exception)
        {
            BecomeFaulty(exception);
        }
    }

    private void BecomeFaulty(Exception exception)
    {
        Volatile.Write(ref _fault, exception);
        LogFaulted(exception);
        // On another thread, so that callbacks do not delay the completion of requests.
        ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _settings.Faulted, preferLocal: false);
    }

    private static bool HasUnit(List<WriteRequest> batch, int start)
    {
        for (var i = start; i < batch.Count; i++)
        {
            if (batch[i].IsUnit)
                return true;
        }
        return false;
    }

    private static DunlinException Unavailable(string detail, Exception? cause) => new(ErrorCode.StoreUnavailable, detail, null, cause);

    private static DunlinException Faulty(Exception fault) =>
        Unavailable("The store has failed and refuses all requests. Restart the process.", fault);

    [LoggerMessage(2020, LogLevel.Critical, "The store has failed and refuses all requests. Check the disk, then restart the process.")]
    private partial void LogFaulted(Exception exception);

    [LoggerMessage(
        2023,
        LogLevel.Warning,
        "The writer opened a new connection: a unit of work did not end within SqliteOptions.WriteLimit, or ended the transaction. Correct the unit of work."
    )]
    private partial void LogReconnected();

    [LoggerMessage(2024, LogLevel.Warning, "Closing the old connection of the writer failed.")]
    private partial void LogCloseFailed(Exception exception);
}

/// <summary>The initial state of the writer.</summary>
internal sealed record WriterSettings(
    Database Database,
    Func<Database> Open,
    Position Head,
    long FencingToken,
    TimeSpan WriteLimit,
    TimeSpan BusyTimeout,
    CancellationTokenSource Faulted
);
