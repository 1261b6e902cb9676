using Dunlin.EntityFrameworkCore.Tests.Support;
using Dunlin.Journal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Transactions;

/// <summary>Events that <c>SaveChanges</c> saves in a transaction of the application.</summary>
public sealed class TransactionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Events_of_several_saves_commit_with_the_transaction(bool isAsync)
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            var note = new Note { Text = "a" };
            db.Notes.Add(note);
            await SaveAsync(db, isAsync);
            db.Publish(Topic($"notes/{note.Id}"), "note.added", note);
            await SaveAsync(db, isAsync);
            db.Publish(Topic($"notes/{note.Id}"), "note.read", note);
            await SaveAsync(db, isAsync);
            if (isAsync)
                await transaction.CommitAsync(Cancellation);
            else
                transaction.Commit();
        }
        Assert.Equal(["notes/1 note.added", "notes/1 note.read"], await shop.EventsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rollback_drops_its_events(bool isExplicit)
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            db.Orders.Add(new Order { Id = "1" });
            db.Publish(Topic("shop"), "shop.lost", 1);
            await db.SaveChangesAsync(Cancellation);
            if (isExplicit)
                await transaction.RollbackAsync(Cancellation);
        }
        db.Publish(Topic("shop"), "shop.opened", 1);
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
        Assert.Empty(await shop.OrdersAsync());
    }

    [Fact]
    public async Task A_rollback_to_a_savepoint_drops_later_events()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            db.Publish(Topic("shop"), "shop.opened", 1);
            await db.SaveChangesAsync(Cancellation);
            await transaction.CreateSavepointAsync("here", Cancellation);
            db.Publish(Topic("shop"), "shop.closed", 1);
            await db.SaveChangesAsync(Cancellation);
            await transaction.RollbackToSavepointAsync("here", Cancellation);
            await transaction.CommitAsync(Cancellation);
        }
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
    }

    [Fact]
    public async Task A_failed_save_in_a_transaction_keeps_its_events_pending()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        db.Orders.Add(new Order { Id = "1" });
        await db.SaveChangesAsync(Cancellation);
        db.ChangeTracker.Clear();
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            var twin = new Order { Id = "1" };
            db.Orders.Add(twin);
            db.Publish(Topic("shop"), "shop.opened", 1);
            await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Cancellation));
            db.Entry(twin).State = EntityState.Detached;
            db.Orders.Add(new Order { Id = "2" });
            await db.SaveChangesAsync(Cancellation);
            await transaction.CommitAsync(Cancellation);
        }
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
        Assert.Equal(["1", "2"], await shop.OrdersAsync());
    }

    [Fact]
    public async Task A_retry_of_unaccepted_changes_publishes_once()
    {
        var commits = new FailingCommits();
        await using var shop = await StartAsync(options => options.AddInterceptors(commits));
        await using var db = shop.Db();
        commits.FailNext(2);
        var order = new Order { Id = "1" };
        db.Orders.Add(order);
        order.Pay();
        db.Publish(Topic("shop"), "shop.opened", 1);
        var (attempts, strategy) = (0, new RetryStrategy(db));
        await strategy.ExecuteInTransactionAsync(
            async ct =>
            {
                attempts++;
                await db.SaveChangesAsync(acceptAllChangesOnSuccess: false, ct);
            },
            _ => Task.FromResult(false),
            Cancellation
        );
        db.ChangeTracker.AcceptAllChanges();
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(3, attempts);
        Assert.Equal(["shop shop.opened", "orders/1 order.paid"], await shop.EventsAsync());
        Assert.Equal(["1"], await shop.OrdersAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_retry_of_a_save_publishes_once(bool hasChange)
    {
        var commits = new FailingCommits();
        await using var shop = await StartAsync(options =>
        {
            options.AddInterceptors(commits);
            RetryStrategy.Use(options);
        });
        await using var db = shop.Db();
        commits.FailNext(2);
        if (hasChange)
            db.Orders.Add(new Order { Id = "1" });
        db.Publish(Topic("shop"), "shop.opened", 1);
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
        Assert.Equal(hasChange ? 1 : 0, (await shop.OrdersAsync()).Count);
    }

    [Fact]
    public async Task Two_contexts_publish_in_one_transaction()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await using var other = shop.Db<OtherDb>();
        other.Database.SetDbConnection(db.Database.GetDbConnection());
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            await other.Database.UseTransactionAsync(transaction.GetDbTransaction(), Cancellation);
            db.Orders.Add(new Order { Id = "1" });
            db.Publish(Topic("a"), "a.done", 1);
            await db.SaveChangesAsync(Cancellation);
            other.Orders.Add(new Order { Id = "2" });
            other.Publish(Topic("b"), "b.done", 1);
            await other.SaveChangesAsync(Cancellation);
            await other.Database.UseTransactionAsync(null, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }
        Assert.Equal(["a a.done", "b b.done"], await shop.EventsAsync());
        Assert.Equal(["1", "2"], await shop.OrdersAsync());
    }

    [Fact]
    public async Task A_transaction_of_the_application_is_not_announced_again()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await db.Database.OpenConnectionAsync(Cancellation);
        await using (var transaction = await db.Database.GetDbConnection().BeginTransactionAsync(Cancellation))
        {
            await db.Database.UseTransactionAsync(transaction, Cancellation);
            db.Orders.Add(new Order { Id = "1" });
            db.Publish(Topic("shop"), "shop.opened", 1);
            await db.SaveChangesAsync(acceptAllChangesOnSuccess: false, Cancellation);
            await transaction.CommitAsync(Cancellation);
            await db.Database.UseTransactionAsync(null, Cancellation);
        }
        db.ChangeTracker.AcceptAllChanges();
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
    }
}
