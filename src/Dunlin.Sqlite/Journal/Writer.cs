using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Sqlite.Schema;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace Dunlin.Sqlite.Journal;

/// <summary>
/// The one writer: a thread that owns the one writing connection and takes requests from the queue in batches. A batch is
/// one transaction with one sync (group commit): every request has a savepoint of its own in it, so that a failing one
/// rolls back alone. Nobody is answered before the commit.
/// <code>
/// take batch -> BEGIN IMMEDIATE -> (SAVEPOINT, work, RELEASE | ROLLBACK TO) for each -> COMMIT (sync)
///            -> head visible -> CommitFeed, in order -> answers -> checkpoint if due
/// </code>
/// Order of commit: there is one transaction at a time and offsets are taken inside it, so they become visible in order.
/// </summary>
internal sealed partial class Writer : IStoreWriter<WriterSession>, IDisposable
{
    /// <summary>A batch is committed early once it has run so long: those already executed should not wait for slow mates.</summary>
    private static readonly TimeSpan MaxBatchTime = TimeSpan.FromMilliseconds(50);

    private readonly WriteQueue _queue = new();
    private readonly Thread _thread;
    private readonly UnitLimit _limit;
    private readonly CommitFeed _feed;
    private readonly StoreClock _clock;
    private readonly JournalInstruments _instruments;
    private readonly ILogger _logger;
    private readonly Func<Database> _open;
    private readonly CancellationTokenSource _faulted;
    private readonly uint _epoch;
    private readonly Checkpointer _checkpointer;
    private List<WriteRequest> _executed = [];
    private WriterSession _session;
    private long _head;
    private Exception? _fault;

    public Writer(WriterSettings settings, CommitFeed feed, StoreClock clock, JournalInstruments instruments, ILogger logger)
    {
        _feed = feed;
        _clock = clock;
        _instruments = instruments;
        _logger = logger;
        _open = settings.Open;
        _faulted = settings.Faulted;
        _epoch = settings.Epoch;
        _head = settings.Head;
        _limit = new UnitLimit(settings.WriteLimit, clock.TimeProvider);
        _checkpointer = new Checkpointer(settings.BusyTimeout, logger);
        _session = new WriterSession(settings.Database, clock, _limit, settings.Epoch, settings.Head, settings.Fence);
        instruments.Watch(() => _queue.Length);
        _thread = new Thread(Run) { Name = "Dunlin SQLite writer", IsBackground = true };
        // Without the caller's context: its span would become the parent of all that this thread does.
        _thread.UnsafeStart();
    }

    /// <summary>The last offset that readers can see.</summary>
    public long Head => Volatile.Read(ref _head);

    public Exception? Fault => Volatile.Read(ref _fault);

    /// <summary>Queues a request; its answer tells the rest.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.StoreUnavailable"/>: it was not queued.</exception>
    public void Add(WriteRequest request)
    {
        if (Fault is { } fault)
            throw Faulty(fault);
        request.QueuedAt = _instruments.Timestamp();
        switch (_queue.Add(request))
        {
            case WriteQueue.Admission.Full:
                throw Unavailable("Too many writes are waiting; nothing of this one was kept.", null);
            case WriteQueue.Admission.Closed:
                throw Unavailable("The store is closed; nothing of this write was kept.", null);
        }
    }

    /// <summary>Finishes what is queued, refuses the rest and closes the connection.</summary>
    public void Dispose()
    {
        _queue.Close();
        _thread.Join();
        if (Fault is null)
            _checkpointer.RunLast(_session.Database);
        _session.Dispose();
        _limit.Dispose();
    }

    private void Run()
    {
        var batch = new List<WriteRequest>();
        while (_queue.Take(batch))
        {
            for (var next = 0; next < batch.Count;)
                next = RunTransaction(batch, next);
        }
    }

    /// <summary>Runs one transaction with the requests from <paramref name="start"/> on.</summary>
    /// <returns>The request to go on with.</returns>
    private int RunTransaction(List<WriteRequest> batch, int start)
    {
        if (Fault is { } fault)
        {
            FailRest(batch, start, batch.Count, () => Faulty(fault));
            return batch.Count;
        }
        _executed.Clear();
        var (next, isCommitting) = (start, false);
        using var span = CommitSpan.Start();
        var began = _clock.TimeProvider.GetTimestamp();
        try
        {
            _session.BeginTransaction(HasUnit(batch, start));
            while (next < batch.Count && (next == start || _clock.TimeProvider.GetElapsedTime(began) < MaxBatchTime))
                Execute(batch[next++]);
            isCommitting = true;
            span?.Link(_executed);
            _session.CommitTransaction();
        }
        catch (Exception exception)
        {
            // Where beginning failed, none of the batch can go on; otherwise the work of those executed so far is gone.
            next = next == start ? batch.Count : next;
            span?.Failed(exception);
            GiveUp(exception, batch, start, next, isCommitting);
            return next;
        }
        span?.Committed(_session.Events.Count);
        Announce();
        return next;
    }

    /// <summary>Runs one request. What it throws itself is its own answer; an exception from here is the end of the transaction.</summary>
    private void Execute(WriteRequest request)
    {
        if (request.Cancellation.IsCancellationRequested)
        {
            request.Fail(new OperationCanceledException(request.Cancellation));
            return;
        }
        var mark = _session.Here;
        try
        {
            if (request.NeedsSavepoint)
                _session.Savepoint();
            // Requests of this store run on this thread and are over when they return.
            request.ExecuteAsync(_session).GetAwaiter().GetResult();
            if (request.IsUnit && !_session.Database.InTransaction)
                throw EndedByItself(null);
            if (request.NeedsSavepoint)
                _session.Release();
            _executed.Add(request);
        }
        catch (UnitAbandonedException abandoned)
        {
            request.Fail(abandoned.Answer);
            throw;
        }
        catch (Exception exception) when (!SqliteFaults.IsFatal(exception))
        {
            if (!_session.Database.InTransaction)
            {
                request.Fail(exception is DunlinException || SqliteFaults.RollsBack(exception) ? SqliteFaults.Translate(exception) : EndedByItself(exception));
                throw new TransactionGoneException(exception);
            }
            if (request.NeedsSavepoint)
                _session.RollbackToSavepoint(mark);
            request.Fail(SqliteFaults.Translate(exception));
        }
    }

    private void Announce()
    {
        var events = _session.Events;
        _instruments.Batch(events.Count, _executed.Count);
        Volatile.Write(ref _head, _session.Head);
        try
        {
            _feed.Publish(events);
        }
        catch (Exception exception)
        {
            // It is committed: the writers must not be told otherwise, and readers find it in the journal.
            LogReceiverFailed(exception);
        }
        foreach (var request in _executed)
            _instruments.Answered(request.QueuedAt);
        new BatchAnswers<WriterSession>(_executed).Start();
        _executed = [];
        try
        {
            _checkpointer.RunIfDue(_session.Database);
        }
        catch (SqliteException exception) when (SqliteFaults.IsFatal(exception))
        {
            BecomeFaulty(exception);
        }
    }

    /// <summary>The transaction cannot be committed: it is rolled back, and those of its requests that have no answer yet get this one.</summary>
    private void GiveUp(Exception exception, List<WriteRequest> batch, int start, int end, bool isCommitting)
    {
        var isUsable = _session.RollbackTransaction(Head) && exception is not UnitAbandonedException;
        if (SqliteFaults.IsFatal(exception))
        {
            BecomeFaulty(exception);
            // What a failed sync has left in the file is known when it is read again. Before the commit there is nothing to be kept.
            FailRest(batch, start, end, () => isCommitting
                ? new DunlinException(ErrorCode.OutcomeUnknown, "The store failed while it committed; whether this was kept is unknown until it is started again.", null, exception)
                : Unavailable("The store failed; nothing of this was kept.", exception));
            return;
        }
        LogBatchFailed(exception, end - start);
        FailRest(batch, start, end, () => Unavailable(SqliteFaults.Reason(exception), exception));
        if (!isUsable)
            Reconnect();
    }

    /// <summary>Leaves the connection to whoever may still hold it, and goes on with another.</summary>
    private void Reconnect()
    {
        var (old, fence) = (_session.Database, _session.Fence);
        try
        {
            raw.sqlite3_interrupt(old.Handle);
            old.Dispose();
        }
        catch (Exception exception)
        {
            LogCloseFailed(exception);
        }
        try
        {
            _session = new WriterSession(_open(), _clock, _limit, _epoch, Head, fence);
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
        // Elsewhere: what listens must not hold up the answers.
        ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _faulted, preferLocal: false);
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

    private static void FailRest(List<WriteRequest> requests, int start, int end, Func<Exception> exception)
    {
        for (var i = start; i < end; i++)
        {
            if (!requests[i].IsAnswered)
                requests[i].Fail(exception());
        }
    }

    private static InvalidOperationException EndedByItself(Exception? cause) => new(
        "The unit of work ended the transaction itself, so that nothing of it was kept. Do not commit or roll back: return to commit, throw to roll back.", cause);

    private static DunlinException Unavailable(string detail, Exception? cause) => new(ErrorCode.StoreUnavailable, detail, null, cause);

    internal static DunlinException Faulty(Exception fault) =>
        Unavailable("The store has failed and takes no more requests; it must be started again.", fault);
}

/// <summary>What the writer starts from.</summary>
internal sealed record WriterSettings(
    Database Database, Func<Database> Open, uint Epoch, long Head, long Fence, TimeSpan WriteLimit, TimeSpan BusyTimeout, CancellationTokenSource Faulted);

/// <summary>The transaction of a batch was rolled back from within.</summary>
internal sealed class TransactionGoneException(Exception cause) : Exception(cause.Message, cause);
