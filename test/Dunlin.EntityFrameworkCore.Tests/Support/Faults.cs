using System.Data.Common;
using Dunlin.TestKit.Servers;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace Dunlin.EntityFrameworkCore.Tests.Support;

/// <summary>The fault of a commit that <see cref="RetryStrategy"/> retries.</summary>
public sealed class TransientFault() : Exception("Injected: the commit failed.");

/// <summary>Lets the next commits fail.</summary>
public sealed class FailingCommits : DbTransactionInterceptor
{
    private int _left;

    public void FailNext(int count) => _left = count;

    public override ValueTask<InterceptionResult> TransactionCommittingAsync(
        DbTransaction transaction,
        TransactionEventData eventData,
        InterceptionResult result,
        CancellationToken cancellationToken = default
    )
    {
        if (_left <= 0)
            return new(result);
        _left--;
        throw new TransientFault();
    }
}

/// <summary>Applies an action to the first commit that passes a proxy, and counts all commits. Thread-safe.</summary>
public sealed class LostCommit
{
    private int _count;

    public LostCommit(TcpProxy proxy, ProxyAction action, Action? before = null) =>
        proxy.OnRequest = piece =>
        {
            // With the end of the text: each BEGIN names the isolation level READ COMMITTED.
            if (piece.Span.IndexOf("COMMIT\0"u8) < 0 || Interlocked.Increment(ref _count) > 1)
                return ProxyAction.Pass;
            before?.Invoke();
            return action;
        };

    public int Count => Volatile.Read(ref _count);
}

/// <summary>Retries three times, at once.</summary>
public sealed class RetryStrategy : ExecutionStrategy
{
    public RetryStrategy(DbContext context)
        : base(context, 3, TimeSpan.Zero) { }

    public RetryStrategy(ExecutionStrategyDependencies dependencies)
        : base(dependencies, 3, TimeSpan.Zero) { }

    public static void Use(DbContextOptionsBuilder options)
    {
        if (TestKit.TestStore.IsPostgres)
            new NpgsqlDbContextOptionsBuilder(options).ExecutionStrategy(static d => new RetryStrategy(d));
        else
            new SqliteDbContextOptionsBuilder(options).ExecutionStrategy(static d => new RetryStrategy(d));
    }

    protected override bool ShouldRetryOn(Exception exception) => exception is TransientFault;

    protected override TimeSpan? GetNextDelay(Exception lastException) =>
        ExceptionsEncountered.Count <= MaxRetryCount ? TimeSpan.Zero : null;
}
