using Dunlin.Client;
using Dunlin.EntityFrameworkCore.Tests.Support;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Guide;

/// <summary>The C# of docs/guides/ef-core.md beside its program, compiled and run.</summary>
public sealed class GuideSnippet
{
    [Fact]
    public async Task Events_of_an_entity_are_published()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        var invoice = new Invoice { Id = "1" };
        invoice.Pay();
        Assert.Equal("invoices/1", Assert.Single(invoice.GetEvents()).Topic.Value);
        invoice.ClearEvents();
        Assert.Empty(invoice.GetEvents());
    }

    [Fact]
    public async Task Ids_of_the_database_are_published()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        await AddNoteAsync(db, Cancellation);
        Assert.Equal(["notes/1 note.added"], await shop.EventsAsync());
    }

    [Fact]
    public async Task A_unit_of_work_returns_the_position()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        Assert.Equal(1, (await PayAsync(shop.Store, db, Cancellation)).Offset);
        Assert.Equal(["orders/7 order.paid"], await shop.EventsAsync());
    }

    [Fact]
    public async Task A_lease_guards_the_change()
    {
        await using var shop = await StartAsync();
        await using var db = shop.Db();
        db.Orders.Add(new Order { Id = "7" });
        await db.SaveChangesAsync(Cancellation);
        var leases = shop.Services.GetRequiredService<ILeases>();
        await using (var lease = await leases.AcquireAsync(ResourceName.Parse("orders/7"), cancellationToken: Cancellation))
            await ShipAsync(db, lease, Cancellation);
        Assert.Equal("shipped", (await shop.Db().Orders.SingleAsync(Cancellation)).State);
        Assert.Equal(["orders/7 order.shipped"], await shop.EventsAsync());
    }

    [Fact]
    public async Task Retries_are_registered()
    {
        var services = new ServiceCollection();
        Register(services, "Host=127.0.0.1");
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        Assert.True(scope.ServiceProvider.GetRequiredService<ShopDb>().Database.CreateExecutionStrategy().RetriesOnFailure);
    }

    internal static async Task<string> ReadUntilAsync(DunlinClient client, StreamPosition known, string answer, CancellationToken stopping)
    {
        var text = "";
        // <ef-read>
        new StreamPosition(answer).TryGetOffset(out _, out var written);
        await foreach (var e in client.SubscribeAsync("orders/all", new SubscribeOptions { After = known }, stopping))
        {
            text += e.GetText();
            if (e.Position is { } position && position.TryGetOffset(out _, out var read) && read >= written)
                break; // the state of this reader has everything that the request has written
        }
        // </ef-read>
        return text;
    }

    private static void Register(IServiceCollection services, string database)
    {
        // <ef-register>
        services.AddDbContextPool<ShopDb>(options => options.UseNpgsql(database, npgsql => npgsql.EnableRetryOnFailure()));
        services.AddDunlin().AddPostgres(database).UseEntityFramework<ShopDb>();
        // </ef-register>
    }

    private static async Task AddNoteAsync(ShopDb db, CancellationToken cancellationToken)
    {
        // <ef-transaction>
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var note = new Note { Text = "Call back" };
        db.Notes.Add(note);
        await db.SaveChangesAsync(cancellationToken); // the database chooses the id
        db.Publish(TopicName.Of("notes", $"{note.Id}"), "note.added", note);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        // </ef-transaction>
    }

    private static async Task<Position> PayAsync(IStore store, ShopDb db, CancellationToken cancellationToken)
    {
        // <ef-unit>
        var position = await store.WriteAsync(
            db,
            async (unit, token) =>
            {
                db.Orders.Add(new Order { Id = "7", State = "paid" });
                await db.SaveChangesAsync(token);
                return await unit.AppendAsync(EventDraft.Of(TopicName.Of("orders", "7"), "order.paid", 7), token);
            },
            cancellationToken
        );
        // </ef-unit>
        return position;
    }

    private static async Task ShipAsync(ShopDb db, Lease lease, CancellationToken cancellationToken)
    {
        var order = await db.Orders.SingleAsync(order => order.Id == "7", cancellationToken);
        order.State = "shipped";
        // <ef-lease>
        db.RequireLease(lease);
        db.Publish(TopicName.Of("orders", "7"), "order.shipped", order);
        await db.SaveChangesAsync(cancellationToken); // throws lease_lost if another user has the lease
        // </ef-lease>
    }

    // <ef-entity-events>
    private sealed class Invoice : IHasEvents
    {
        private readonly List<EventDraft> _events = [];

        public required string Id { get; set; }

        public void Pay() => _events.Add(EventDraft.Of(TopicName.Of("invoices", Id), "invoice.paid", new { Id }));

        public IReadOnlyCollection<EventDraft> GetEvents() => _events;

        public void ClearEvents() => _events.Clear();
    }
    // </ef-entity-events>
}
