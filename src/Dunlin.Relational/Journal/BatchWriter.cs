using Dunlin.Diagnostics;
using Dunlin.Journal;
using Microsoft.Extensions.Logging;

namespace Dunlin.Relational.Journal;

/// <summary>The steps of a writer that all stores share: running one request of a batch, and announcing a committed batch. Not thread-safe:
/// the loop of the writer calls it.</summary>
/// <remarks>
/// The writer of a dialect adds the queue, the transaction and the handling of lost commits. States of a request:
/// <code>
/// queued -> executed (in the open transaction) -> answered (after the commit)
///        -> failed (rolled back alone), or failed with the batch (the transaction is gone)
/// </code>
/// Invariants:
/// <list type="bullet">
/// <item>The writer completes no request before the commit.</item>
/// <item>It announces events after their commit, in the order of commits.</item>
/// <item>A failed request does not change the other requests of its batch.</item>
/// </list>
/// </remarks>
internal abstract partial class BatchWriter(CommitFeed feed, JournalInstruments instruments, ILogger logger)
    : IStoreWriter<WriteTransaction>
{
    /// <summary>The maximum number of queued requests; further requests are refused. At 20,000 commits per second this is less than a
    /// second of work. It limits the memory that a flood of requests takes.</summary>
    protected const int MaxWaiting = 16_384;

    /// <summary>The maximum number of events in a batch. It keeps the wait for a commit within a few disk syncs.</summary>
    public const int MaxBatchEvents = 2_048;

    /// <summary>The maximum number of bytes of data in a batch, which limits the size of a transaction.</summary>
    public const long MaxBatchBytes = 8 * 1024 * 1024;

    /// <summary>The time after which a batch is committed early, so that slow requests do not delay the executed requests of the batch and
    /// other nodes.</summary>
    protected static readonly TimeSpan MaxBatchTime = TimeSpan.FromMilliseconds(50);

    /// <summary>Gets the requests executed in the open transaction.</summary>
    protected List<WriteRequest> Executed { get; private set; } = [];

    public abstract void Add(WriteRequest request);

    /// <summary>Runs one request. An exception of the request fails that request only. An exception thrown by this method means that the
    /// transaction has ended.</summary>
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
            try
            {
                await transaction.RollBackRequestAsync(request, mark);
            }
            finally
            {
                // If the roll-back throws, the batch fails. The request is not in its list, and nothing else would answer it.
                request.Fail(Translate(exception));
            }
        }
    }

    /// <summary>Announces the committed transaction and completes its requests.</summary>
    protected void Announce(WriteTransaction transaction)
    {
        var events = transaction.Events;
        instruments.Batch(events.Count, Executed.Count);
        RaiseHead(transaction.Head);
        feed.Publish(events);
        foreach (var request in Executed)
        {
            request.OnCommitted();
            Measure(request);
        }
        new BatchAnswers<WriteTransaction>(Executed).Start();
        Executed = [];
    }

    /// <summary>Makes a committed offset visible to the readers of this node.</summary>
    protected abstract void RaiseHead(Position head);

    /// <summary>Records the duration of a completed request.</summary>
    protected abstract void Measure(WriteRequest request);

    /// <summary>Returns whether the store must stop after this exception.</summary>
    protected virtual bool IsFatal(Exception exception) => false;

    /// <summary>Returns whether the database may have ended the transaction with this exception.</summary>
    protected abstract bool EndsTransaction(Exception exception);

    /// <summary>Returns the exception that the caller receives.</summary>
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
