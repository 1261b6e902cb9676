using Dunlin.Diagnostics;
using Dunlin.EntityFrameworkCore.Tests.Support;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Transactions;

/// <summary>Changes that need a lease.</summary>
public sealed class LeaseTests
{
    private static readonly ResourceName Resource = ResourceName.Parse("orders/1");

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_save_needs_the_lease(bool isAsync, bool hasChange)
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var claim = await AcquireAsync(shop);
        if (hasChange)
            db.Orders.Add(new Order { Id = "1" });
        db.RequireLease(claim);
        await SaveAsync(db, isAsync);

        await ReleaseAsync(shop);
        if (hasChange)
            db.Orders.Add(new Order { Id = "2" });
        db.Publish(Topic("shop"), "shop.opened", 1);
        db.RequireLease(claim);
        var lost = await Assert.ThrowsAsync<DunlinException>(() => SaveAsync(db, isAsync));
        Assert.Equal(ErrorCode.LeaseLost, lost.Code);
        Assert.Equal(hasChange ? ["1"] : [], await shop.OrdersAsync());
        Assert.Empty(await shop.EventsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lease_lost_before_the_commit_stops_it(bool isAsync)
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var claim = await AcquireAsync(shop);
        db.RequireLease(claim);
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            if (TestStore.IsPostgres)
            {
                db.Orders.Add(new Order { Id = "1" });
                db.Publish(Topic("shop"), "shop.opened", 1);
                await SaveAsync(db, isAsync);
                // The check of the save took no lock, so other writers do not wait for the transaction.
                await ReleaseAsync(shop);
            }
            else
            {
                // SQLite has one writer, so the lease ends in the transaction itself.
                await SaveAsync(db, isAsync);
                await db.Database.ExecuteSqlAsync($"UPDATE dunlin_lease SET expires_at = 0", Cancellation);
            }
            var lost = await Assert.ThrowsAsync<DunlinException>(() =>
                isAsync ? transaction.CommitAsync(Cancellation) : Task.Run(transaction.Commit, Cancellation)
            );
            Assert.Equal(ErrorCode.LeaseLost, lost.Code);
        }
        Assert.Empty(await shop.OrdersAsync());
        Assert.Empty(await shop.EventsAsync());
    }

    [Fact]
    public async Task A_lease_that_another_user_has_acquired_is_lost()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var claim = await AcquireAsync(shop);
        await ReleaseAsync(shop);
        await AcquireAsync(shop, "bob");
        db.RequireLease(claim);
        var lost = await Assert.ThrowsAsync<DunlinException>(() => db.SaveChangesAsync(Cancellation));
        Assert.Equal(ErrorCode.LeaseLost, lost.Code);

        await using var fresh = shop.Db();
        fresh.RequireLease(new LeaseClaim(Resource, "lease-of-nobody-1", "ann"));
        Assert.Equal(ErrorCode.LeaseLost, (await Assert.ThrowsAsync<DunlinException>(() => fresh.SaveChangesAsync(Cancellation))).Code);
    }

    [Fact]
    public async Task A_unit_of_work_needs_the_lease()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var claim = await AcquireAsync(shop);
        await ReleaseAsync(shop);
        db.Orders.Add(new Order { Id = "1" });
        db.RequireLease(claim);
        var lost = await Assert.ThrowsAsync<DunlinException>(async () =>
            await shop.Store.WriteAsync(db, async (_, ct) => await db.SaveChangesAsync(ct), Cancellation)
        );
        Assert.Equal(ErrorCode.LeaseLost, lost.Code);
        Assert.Empty(await shop.OrdersAsync());
    }

    [Fact]
    public async Task A_transaction_of_the_application_holds_the_lease_to_its_end()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var claim = await AcquireAsync(shop);
        await db.Database.OpenConnectionAsync(Cancellation);
        await using var transaction = await db.Database.GetDbConnection().BeginTransactionAsync(Cancellation);
        await db.Database.UseTransactionAsync(transaction, Cancellation);
        db.Orders.Add(new Order { Id = "1" });
        db.RequireLease(claim);
        await db.SaveChangesAsync(Cancellation);
        var releasing = ReleaseAsync(shop);
        if (TestStore.IsPostgres)
            await WhenAWriterWaitsAsync(shop);
        Assert.False(releasing.IsCompleted);
        await transaction.CommitAsync(Cancellation);
        await releasing;
        Assert.Equal(["1"], await shop.OrdersAsync());
    }

    private static async Task<LeaseClaim> AcquireAsync(Shop shop, string user = "ann") =>
        await shop.Store.WriteAsync(
            async (unit, ct) =>
                (
                    await unit.Leases.AcquireAsync(new LeaseRequest(Resource, $"lease-of-{user}", new LeaseOwner(user, user)), null, ct)
                ).Claim!,
            Cancellation
        );

    private static async Task ReleaseAsync(Shop shop) =>
        await shop.Store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.Leases.ForceReleaseAsync(Resource, null, ct);
            },
            Cancellation
        );

    private static async Task WhenAWriterWaitsAsync(Shop shop)
    {
        await using var db = shop.Db();
        while (
            await db
                .Database.SqlQuery<int>($"SELECT count(*)::INT AS \"Value\" FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                .SingleAsync(Cancellation) == 0
        )
        {
            await Task.Yield();
        }
    }
}
