using Dunlin.Diagnostics;
using Dunlin.Journal;
using Microsoft.Extensions.Logging;

namespace Dunlin.Relational.Journal;

/// <summary>
/// The steps of a writer that every store shares: running one request of a batch, and announcing a committed batch. A dialect's writer
/// adds the queue, the transaction and the handling of lost commits. Used by one caller at a time.
/// <code>
/// request: queued -> executed (in the open transaction) -> answered (after the commit)
///                 -> failed (rolled back alone), or with the batch (the transaction is gone)
/// </code>
/// Invariants: nobody is answered before the commit; events are announced in the order of commits, and only after them; a request that
/// fails changes nothing of the others in its batch.
/// </summary>
internal abstract partial class BatchWriter(CommitFeed feed, JournalInstruments instruments, ILogger logger)
    : IStoreWriter<WriteTransaction>
{
    /// <summary>Requests that wait at most; more are refused. At 20,000 commits a second this is under a second of work, and it bounds
    /// what a flood of requests can make the process hold.</summary>
    protected const int MaxWaiting = 16_384;

    /// <summary>Events in one batch: keeps the wait for an answer in the range of a few syncs.</summary>
    public const int MaxBatchEvents = 2_048;

    /// <summary>Bytes of data in one batch: bounds one transaction.</summary>
    public const long MaxBatchBytes = 8 * 1024 * 1024;

    /// <summary>A batch is committed early once it has run so long: its executed requests, and other nodes, should not wait
    /// for slow ones.</summary>
    protected static readonly TimeSpan MaxBatchTime = TimeSpan.FromMilliseconds(50);

    /// <summary>Requests executed in the open transaction.</summary>
    protected List<WriteRequest> Executed { get; private set; } = [];

    public abstract void Add(WriteRequest request);

    /// <summary>Runs one request. An exception of the request is its own answer; an exception from here is the end of the
    /// transaction.</summary>
    protected async ValueTask ExecuteAsync(WriteTransaction transaction, WriteRequest request)
    {
        if (request.Cancellation.IsCancellationRequested)
        {
            request.Fail(new OperationCanceledException(request.Cancellation));
            return;
        }
        var mark = transaction.Here;
        try
        {
            await transaction.BeginRequestAsync(request);
            await request.ExecuteAsync(transaction);
            if (request.IsUnit && !transaction.IsOpen)
                throw EndedByUnit(null);
            await transaction.EndRequestAsync(request);
            Executed.Add(request);
        }
        catch (UnitAbandonedException abandoned)
        {
            request.Fail(abandoned.Answer);
            throw;
        }
        catch (Exception exception) when (!IsFatal(exception))
        {
            if (!transaction.IsOpen)
            {
                request.Fail(exception is DunlinException || EndsTransaction(exception) ? Translate(exception) : EndedByUnit(exception));
                throw;
            }
            await transaction.RollBackRequestAsync(request, mark);
            request.Fail(Translate(exception));
        }
    }

    /// <summary>Announces the committed transaction and answers its requests.</summary>
    protected void Announce(WriteTransaction transaction)
    {
        var events = transaction.Events;
        instruments.Batch(events.Count, Executed.Count);
        RaiseHead(transaction.Head);
        feed.Publish(events);
        foreach (var request in Executed)
            Measure(request);
        new BatchAnswers<WriteTransaction>(Executed).Start();
        Executed = [];
    }

    /// <summary>Makes a committed offset visible to the readers of this node.</summary>
    protected abstract void RaiseHead(Position head);

    /// <summary>Records how long an answered request took.</summary>
    protected abstract void Measure(WriteRequest request);

    /// <summary>Whether the store must not go on after this exception.</summary>
    protected virtual bool IsFatal(Exception exception) => false;

    /// <summary>Whether the database itself may have ended the transaction with this exception.</summary>
    protected abstract bool EndsTransaction(Exception exception);

    /// <summary>Returns the exception that the caller gets.</summary>
    protected abstract Exception Translate(Exception exception);

    protected void LogRolledBack(Exception exception, int count) => LogBatchFailed(exception, count);

    protected static void Fail(IEnumerable<WriteRequest> requests, Func<Exception> exception)
    {
        foreach (var request in requests)
        {
            if (!request.IsAnswered)
                request.Fail(exception());
        }
    }

    private static InvalidOperationException EndedByUnit(Exception? cause) =>
        new("The unit of work ended the transaction. Do not send COMMIT or ROLLBACK: return to commit, throw to roll back.", cause);

    [LoggerMessage(
        2021,
        LogLevel.Warning,
        "A batch of {Count} writes was rolled back. It is retried, or its requests fail with an error. If this repeats, check the database."
    )]
    private partial void LogBatchFailed(Exception exception, int count);
}
