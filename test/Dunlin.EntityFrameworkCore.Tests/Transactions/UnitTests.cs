using Dunlin.EntityFrameworkCore.Tests.Support;
using Dunlin.Journal;
using Microsoft.EntityFrameworkCore;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Transactions;

/// <summary>Contexts inside units of work of the store.</summary>
public sealed class UnitTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Changes_and_events_commit_with_the_unit(bool isAsync, bool hasRetries)
    {
        await using var shop = await StartAsync(options =>
        {
            if (hasRetries)
                RetryStrategy.Use(options);
        });
        await using var db = shop.Db();
        db.Publish(Topic("shop"), "shop.opened", 1);
        var position = await shop.Store.WriteAsync(
            db,
            async (unit, ct) =>
            {
                var order = new Order { Id = "1" };
                db.Orders.Add(order);
                order.Pay();
                await SaveAsync(db, isAsync);
                return await unit.AppendAsync(EventDraft.Of(Topic("shop"), "shop.closed", 1), ct);
            },
            Cancellation
        );
        Assert.Equal(3, position.Offset);
        var page = await shop.Journal.ReadAsync(new JournalQuery(0, null, 10), Cancellation);
        Assert.Equal(["shop.opened", "order.paid", "shop.closed"], page.Events.Select(e => e.Type));
        Assert.Equal(["1"], await shop.OrdersAsync());

        // The context has its own connection again.
        db.Orders.Add(new Order { Id = "2" });
        db.Publish(Topic("shop"), "shop.opened", 2);
        await SaveAsync(db, isAsync);
        Assert.Equal(["1", "2"], await shop.OrdersAsync());
        Assert.Equal(4, (await shop.EventsAsync()).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failed_unit_stores_and_announces_nothing(bool isAccepted)
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        db.Orders.Add(new Order { Id = "1" });
        db.Publish(Topic("shop"), "shop.opened", 1);
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
            await shop.Store.WriteAsync(
                db,
                async (_, ct) =>
                {
                    await db.SaveChangesAsync(isAccepted, ct);
                    throw new InvalidDataException();
                },
                Cancellation
            )
        );
        Assert.Empty(await shop.OrdersAsync());
        // As the changes, the events are saved again only if they were not accepted.
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(isAccepted ? 0 : 1, (await shop.OrdersAsync()).Count);
        Assert.Equal(isAccepted ? 0 : 1, (await shop.EventsAsync()).Count);
    }

    [Fact]
    public async Task A_context_with_an_open_transaction_is_refused()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await using var transaction = await db.Database.BeginTransactionAsync(Cancellation);
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await shop.Store.WriteAsync(db, static (_, _) => ValueTask.CompletedTask, Cancellation)
        );
        Assert.Contains("open transaction", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_position_is_refused_inside_a_unit()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await shop.Store.WriteAsync(db, async (_, ct) => await db.PublishedPositionAsync(ct), Cancellation)
        );
    }
}
