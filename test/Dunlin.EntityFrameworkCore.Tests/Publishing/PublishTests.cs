using System.Data.Common;
using Dunlin.Diagnostics;
using Dunlin.EntityFrameworkCore.Tests.Support;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Publishing;

/// <summary>Events that <c>SaveChanges</c> saves in a transaction of its own.</summary>
public sealed class PublishTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Events_commit_with_the_changes_in_their_order(bool isAsync)
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        db.Orders.Add(new Order { Id = "1" });
        for (var i = 0; i < 250; i++)
            db.Publish(Topic("orders/1"), $"step.{i}", i);
        await SaveAsync(db, isAsync);
        Assert.Equal(["1"], await shop.OrdersAsync());
        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"orders/1 step.{i}"), await shop.EventsAsync());
        await SaveAsync(db, isAsync);
        Assert.Equal(250, (await shop.EventsAsync()).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Events_without_changes_are_published(bool isAsync)
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        db.Publish(Topic("shop"), "shop.opened", 1);
        Assert.Equal(0, await SaveAsync(db, isAsync));
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failed_save_keeps_its_events_for_the_next_one(bool isAsync)
    {
        await using var shop = await StartAsync();
        await using (var first = shop.Db())
        {
            first.Orders.Add(new Order { Id = "1" });
            await first.SaveChangesAsync(Cancellation);
        }
        await using var db = shop.Db();
        var order = new Order { Id = "1" };
        db.Orders.Add(order);
        order.Pay();
        db.Publish(Topic("shop"), "shop.opened", 1);
        await Assert.ThrowsAsync<DbUpdateException>(() => SaveAsync(db, isAsync));
        Assert.Empty(await shop.EventsAsync());
        Assert.Single(order.GetEvents());

        db.Entry(order).State = EntityState.Modified;
        await SaveAsync(db, isAsync);
        Assert.Equal(["shop shop.opened", "orders/1 order.paid"], await shop.EventsAsync());
        Assert.Empty(order.GetEvents());
        Assert.Equal(AutoTransactionBehavior.WhenNeeded, db.Database.AutoTransactionBehavior);
    }

    [Fact]
    public async Task A_cancelled_save_keeps_its_events()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        db.Orders.Add(new Order { Id = "1" });
        db.Publish(Topic("shop"), "shop.opened", 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => db.SaveChangesAsync(new CancellationToken(canceled: true)));
        Assert.Empty(await shop.EventsAsync());
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
    }

    [Fact]
    public async Task Events_of_unchanged_and_deleted_entities_are_published()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var (kept, deleted) = (new Order { Id = "1" }, new Order { Id = "2" });
        db.Orders.AddRange(kept, deleted);
        await db.SaveChangesAsync(Cancellation);
        kept.Pay();
        db.Entry(kept).State = EntityState.Unchanged;
        deleted.Pay();
        db.Orders.Remove(deleted);
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(["orders/1 order.paid", "orders/2 order.paid"], (await shop.EventsAsync()).Order());
        Assert.Empty(kept.GetEvents());
        Assert.Empty(deleted.GetEvents());
    }

    [Fact]
    public async Task An_interceptor_of_the_application_may_publish_or_refuse()
    {
        var interceptor = new ShopInterceptor();
        await using var shop = await StartAsync(options => options.AddInterceptors(interceptor));
        await using var db = shop.Db();
        db.Orders.Add(new Order { Id = "1" });
        interceptor.IsRefusing = true;
        await Assert.ThrowsAsync<InvalidDataException>(() => db.SaveChangesAsync(Cancellation));
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
            await transaction.CommitAsync(Cancellation);
        Assert.Empty(await shop.EventsAsync());
        interceptor.IsRefusing = false;
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(["shop shop.changed", "shop shop.changed"], await shop.EventsAsync());
        Assert.Equal(["1"], await shop.OrdersAsync());
    }

    [Fact]
    public async Task A_pooled_context_does_not_keep_events()
    {
        await using var shop = await StartAsync(isPooled: true);
        ShopDb pooled;
        await using (var scope = shop.Services.CreateAsyncScope())
        {
            pooled = scope.ServiceProvider.GetRequiredService<ShopDb>();
            pooled.Publish(Topic("shop"), "shop.forgotten", 1);
            pooled.RequireLease(new LeaseClaim(ResourceName.Parse("shop"), "nobody", "ann"));
        }
        await using (var scope = shop.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ShopDb>();
            Assert.Same(pooled, db);
            db.Publish(Topic("shop"), "shop.opened", 1);
            await db.SaveChangesAsync(Cancellation);
        }
        Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
    }

    [Fact]
    public async Task Invalid_events_are_refused_when_published()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var large = Assert.Throws<DunlinException>(() => db.Publish(Topic("shop"), "large", new string('x', 1_100_000)));
        Assert.Equal(ErrorCode.TooLarge, large.Code);
        var type = Assert.Throws<DunlinException>(() => db.Publish(Topic("shop"), "with space", 1));
        Assert.Equal(ErrorCode.InvalidField, type.Code);
        await db.SaveChangesAsync(Cancellation);
        Assert.Empty(await shop.EventsAsync());

        db.Orders.Add(new Order { Id = "1" });
        for (var i = 0; i <= 1000; i++)
            db.Publish(Topic("shop"), "many", i);
        var many = await Assert.ThrowsAsync<DunlinException>(() => db.SaveChangesAsync(Cancellation));
        Assert.Equal(ErrorCode.TooLarge, many.Code);
        Assert.Empty(await shop.OrdersAsync());
    }

    [Fact]
    public async Task A_context_without_registration_names_the_missing_call()
    {
        await using var shop = await StartAsync();
        var options = new DbContextOptionsBuilder<ShopDb>();
        Use(options, null, Path.GetTempPath());
        await using var db = new ShopDb(options.Options);
        var fault = Assert.Throws<InvalidOperationException>(() => db.Publish(Topic("shop"), "shop.opened", 1));
        Assert.Contains("UseEntityFramework<ShopDb>", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_in_memory_store_is_refused_with_the_remedy()
    {
        var services = new ServiceCollection();
        services.AddDunlin().AddInMemory().UseEntityFramework<ShopDb>();
        services.AddDbContext<ShopDb>(options => Use(options, null, Path.GetTempPath()));
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ShopDb>();
        var fault = Assert.Throws<InvalidOperationException>(() => db.Publish(Topic("shop"), "shop.opened", 1));
        Assert.Contains("AddSqlite", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_without_the_outbox_stores_nothing()
    {
        await using var shop = await StartAsync();
        var folder = Directory.CreateTempSubdirectory("dunlin-ef-");
        var options = new DbContextOptionsBuilder<ShopDb>();
        Use(options, null, folder.FullName);
        options.UseDunlin(shop.Services);
        await using (var db = new ShopDb(options.Options))
        {
            await db.Database.EnsureCreatedAsync(Cancellation);
            db.Orders.Add(new Order { Id = "1" });
            db.Publish(Topic("shop"), "shop.opened", 1);
            await Assert.ThrowsAnyAsync<DbException>(() => db.SaveChangesAsync(Cancellation));
            Assert.Empty(await db.Orders.AsNoTracking().ToListAsync(Cancellation));
        }
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_published_position_is_at_the_event()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var before = await db.PublishedPositionAsync(Cancellation);
        db.Publish(Topic("shop"), "shop.opened", 1);
        await db.SaveChangesAsync(Cancellation);
        var position = await db.PublishedPositionAsync(Cancellation);
        Assert.Equal(before.Offset + 1, position.Offset);
        var page = await shop.Journal.ReadAsync(new JournalQuery(before.Offset, null, 10), Cancellation);
        Assert.Equal("shop.opened", Assert.Single(page.Events).Type);
    }

    /// <summary>Publishes with each save, and may refuse it then.</summary>
    private sealed class ShopInterceptor : SaveChangesInterceptor
    {
        public bool IsRefusing { get; set; }

        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
            DbContextEventData eventData,
            InterceptionResult<int> result,
            CancellationToken cancellationToken = default
        )
        {
            eventData.Context!.Publish(Topic("shop"), "shop.changed", 1);
            return IsRefusing ? throw new InvalidDataException() : new(result);
        }
    }
}
