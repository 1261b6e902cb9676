using Dunlin.Journal;
using Dunlin.Topics;
using Microsoft.EntityFrameworkCore;

namespace Dunlin.EntityFrameworkCore.Tests.Support;

/// <summary>The tables of the tests.</summary>
public class ShopDb(DbContextOptions options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Note> Notes => Set<Note>();
}

/// <summary>A second context on the same database.</summary>
public sealed class OtherDb(DbContextOptions<OtherDb> options) : ShopDb(options);

public sealed class Order : IHasEvents
{
    private readonly List<EventDraft> _events = [];

    public string Id { get; set; } = "";

    public string State { get; set; } = "new";

    public void Pay()
    {
        State = "paid";
        _events.Add(EventDraft.Of(TopicName.Of("orders", Id), "order.paid", new { Id }));
    }

    public IReadOnlyCollection<EventDraft> GetEvents() => _events;

    public void ClearEvents() => _events.Clear();
}

public sealed class Note
{
    public long Id { get; set; }

    public string Text { get; set; } = "";
}
