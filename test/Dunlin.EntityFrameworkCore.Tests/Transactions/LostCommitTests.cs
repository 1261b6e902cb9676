using System.Collections.Concurrent;
using System.Transactions;
using Dunlin.Diagnostics;
using Dunlin.EntityFrameworkCore.Tests.Support;
using Dunlin.Leases;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Transactions;

/// <summary>A PostgreSQL server that restarts, and a connection that breaks during a commit.</summary>
[Trait("Store", "own")]
public sealed class LostCommitTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task A_restart_with_retries_loses_and_repeats_no_event(string signal)
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var shop = await StartAsync(Retrying(server.ConnectionString), connectionString: server.ConnectionString);
        var saved = new ConcurrentBag<string>();
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(() => SaveAsync(shop, writer, saved, stop.Token))).ToList();
        await WhenAsync(() => saved.Count >= 20, writers);
        await server.StopAsync(signal);
        await server.StartAsync();
        var before = saved.Count;
        await WhenAsync(() => saved.Count >= before + 20, writers);
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        var expected = saved.Select(id => $"orders/{id} order.paid").Order(StringComparer.Ordinal);
        Assert.Equal(expected, (await shop.EventsAsync()).Order(StringComparer.Ordinal));
        // Notes have ids of the database, so that a repeated insert would be a second row.
        Assert.Equal(saved.Order(), (await shop.Db().Notes.Select(note => note.Text).ToListAsync(Cancellation)).Order());
    }

    [Theory]
    [InlineData(ProxyAction.CutAtAnswer, true)]
    [InlineData(ProxyAction.CutAtAnswer, false)]
    [InlineData(ProxyAction.CutBefore, true)]
    [InlineData(ProxyAction.CutBefore, false)]
    public async Task A_save_with_a_lost_commit_is_stored_once(ProxyAction action, bool isAsync)
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var proxy = new TcpProxy(server.Port);
        await using var shop = await StartAsync(Retrying(Through(server, proxy)), connectionString: server.ConnectionString);
        await using var db = shop.Db();
        var commits = new LostCommit(proxy, action);
        db.Notes.Add(new Note { Text = "a" });
        db.Publish(Topic("notes"), "note.added", 1);
        Assert.Equal(1, await Shop.SaveAsync(db, isAsync));
        Assert.Equal(["notes note.added"], await shop.EventsAsync());
        Assert.Equal(1, await shop.Db().Notes.CountAsync(Cancellation));
        Assert.Equal(action == ProxyAction.CutBefore ? 2 : 1, commits.Count);
    }

    [Theory]
    [InlineData(ProxyAction.CutAtAnswer)]
    [InlineData(ProxyAction.CutBefore)]
    public async Task A_lost_commit_of_a_transaction_has_its_true_outcome(ProxyAction action)
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var proxy = new TcpProxy(server.Port);
        var through = Through(server, proxy);
        await using var shop = await StartAsync(options => options.UseNpgsql(through), connectionString: server.ConnectionString);
        await using var db = shop.Db();
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            db.Notes.Add(new Note { Text = "a" });
            db.Publish(Topic("notes"), "note.added", 1);
            await db.SaveChangesAsync(Cancellation);
            _ = new LostCommit(proxy, action);
            if (action == ProxyAction.CutAtAnswer)
                await transaction.CommitAsync(Cancellation);
            else
                await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Cancellation));
        }
        var count = action == ProxyAction.CutAtAnswer ? 1 : 0;
        Assert.Equal(count, (await shop.EventsAsync()).Count);
        Assert.Equal(count, await shop.Db().Notes.CountAsync(Cancellation));
    }

    [Theory]
    [InlineData(ProxyAction.CutAtAnswer, true)]
    [InlineData(ProxyAction.CutAtAnswer, false)]
    [InlineData(ProxyAction.CutBefore, true)]
    [InlineData(ProxyAction.CutBefore, false)]
    public async Task A_lost_commit_without_a_database_is_outcome_unknown(ProxyAction action, bool isAsync)
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var proxy = new TcpProxy(server.Port);
        await using var storeProxy = new TcpProxy(server.Port);
        await using var shop = await StartAsync(
            Retrying(Through(server, proxy)),
            connectionString: Through(server, storeProxy),
            time: new ManualTime()
        );
        await using var db = shop.Db();
        db.Notes.Add(new Note { Text = "a" });
        db.Publish(Topic("notes"), "note.added", 1);
        var commits = new LostCommit(proxy, action, storeProxy.Block);
        var saving = Task.Run(() => Shop.SaveAsync(db, isAsync), Cancellation);
        await shop.AdvanceUntilAsync(saving);
        var unknown = await Assert.ThrowsAsync<DunlinException>(() => saving);
        Assert.Equal(ErrorCode.OutcomeUnknown, unknown.Code);
        Assert.IsAssignableFrom<NpgsqlException>(unknown.InnerException);
        Assert.Equal(1, commits.Count);

        // The row and its event share the outcome that the application could not learn.
        storeProxy.Restore();
        await using var other = await StartAsync(connectionString: server.ConnectionString, isCreated: false);
        var stored = action == ProxyAction.CutAtAnswer ? 1 : 0;
        while (await CountSessionsAsync(other.Db()) > 0)
            await Task.Yield();
        Assert.Equal(stored, await other.Db().Notes.CountAsync(Cancellation));
        Assert.Equal(stored, (await other.EventsAsync()).Count);
    }

    [Fact]
    public async Task A_commit_refused_after_it_happened_is_not_repeated()
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var shop = await StartAsync(connectionString: server.ConnectionString);
        var commits = new FailingCommits();
        var options = new DbContextOptionsBuilder<ShopDb>()
            .UseNpgsql(server.ConnectionString, static npgsql => npgsql.ExecutionStrategy(static d => new RetryStrategy(d)))
            .UseDunlin(shop.Services)
            .AddInterceptors(commits);
        await using var db = new ShopDb(options.Options);
        db.Notes.Add(new Note { Text = "a" });
        db.Publish(Topic("notes"), "note.added", 1);
        commits.FailNext(1);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Cancellation));
        Assert.Contains("after AddDbContext", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["notes note.added"], await shop.EventsAsync());
        Assert.Equal(1, await shop.Db().Notes.CountAsync(Cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_ambient_transaction_commits_its_events(bool isComplete)
    {
        await using var server = await PostgresServer.StartNewAsync();
        await using var shop = await StartAsync(connectionString: server.ConnectionString);
        await using var db = shop.Db();
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            db.Notes.Add(new Note { Text = "a" });
            db.Publish(Topic("notes"), "note.added", 1);
            await db.SaveChangesAsync(Cancellation);
            if (isComplete)
                scope.Complete();
        }
        Assert.Equal(isComplete ? 1 : 0, (await shop.EventsAsync()).Count);
    }

    [Fact]
    public async Task A_role_needs_only_the_rights_of_the_guide()
    {
        await using var server = await PostgresServer.StartNewAsync();
        var role = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Username = "app" }.ConnectionString;
        await using var shop = await StartAsync(connectionString: server.ConnectionString);
        await using var owner = shop.Db();
        await owner.Database.ExecuteSqlRawAsync("CREATE ROLE app LOGIN", Cancellation);
        await owner.Database.ExecuteSqlRawAsync("GRANT ALL ON \"Orders\" TO app", Cancellation);
        var options = new DbContextOptionsBuilder<ShopDb>().UseNpgsql(role).UseDunlin(shop.Services).Options;
        await using var db = new ShopDb(options);
        db.Orders.Add(new Order { Id = "1" });
        db.Publish(Topic("shop"), "shop.opened", 1);
        await Assert.ThrowsAsync<PostgresException>(() => db.SaveChangesAsync(Cancellation));
        foreach (var grant in Repository.Blocks(Repository.Read("docs/guides/ef-core.md"), "sql"))
            await owner.Database.ExecuteSqlRawAsync(grant, Cancellation);
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());

        db.RequireLease(new LeaseClaim(ResourceName.Parse("orders/1"), "lease-of-nobody-1", "ann"));
        var lost = await Assert.ThrowsAsync<DunlinException>(() => db.SaveChangesAsync(Cancellation));
        Assert.Equal(ErrorCode.LeaseLost, lost.Code);
    }

    private static Action<DbContextOptionsBuilder> Retrying(string connectionString) =>
        options =>
            options.UseNpgsql(
                connectionString,
                npgsql => npgsql.EnableRetryOnFailure(20, TimeSpan.FromMilliseconds(200), errorCodesToAdd: null)
            );

    private static string Through(PostgresServer server, TcpProxy proxy) =>
        new NpgsqlConnectionStringBuilder(server.ConnectionString) { Port = proxy.Port }.ConnectionString;

    // A session in a transaction: the server may not have detected yet that its client is gone.
    private static Task<int> CountSessionsAsync(ShopDb db) =>
        db
            .Database.SqlQuery<int>(
                $"""
                SELECT count(*)::int AS "Value" FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
                """
            )
            .SingleAsync(Cancellation);

    private static async Task SaveAsync(Shop shop, int writer, ConcurrentBag<string> saved, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            await using var db = shop.New();
            var order = new Order { Id = $"{writer}-{i}" };
            db.Orders.Add(order);
            db.Notes.Add(new Note { Text = order.Id });
            order.Pay();
            await db.SaveChangesAsync(Cancellation);
            saved.Add(order.Id);
        }
    }

    private static async Task WhenAsync(Func<bool> condition, List<Task> writers)
    {
        while (!condition())
        {
            if (writers.Find(static writer => writer.IsFaulted) is { } failed)
                await failed;
            await Task.Yield();
        }
    }
}
