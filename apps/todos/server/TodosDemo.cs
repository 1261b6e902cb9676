using Dunlin.Journal;
using Dunlin.Records;
using static Dunlin.Apps.Todos.TodoSpaces;

namespace Dunlin.Apps.Todos;

/// <summary>Demo lists. Skips lists that exist or existed.</summary>
public static class TodosDemo
{
    private static readonly Member Alice = new("alice", "Alice Archer");
    private static readonly Member Bob = new("bob", "Bob Baker");
    private static readonly Member Carol = new("carol", "Carol Carter");

    /// <summary>Seeds the lists of the demo accounts.</summary>
    public static ValueTask SeedAsync(IStore store, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var records = unit.Records();
                if (await records.MayReadAsync(Space("demo-trip"), Alice.Id, ct))
                    return;
                var now = unit.Now.ToUnixTimeMilliseconds();
                await AddListAsync(records, new TodoList("demo-trip", "Wadden Sea trip", "tasks", Alice, [Alice, Bob], now), ct);
                await AddListAsync(
                    records,
                    new TodoList("demo-groceries", "Groceries", "shopping", Alice, [Alice, Bob, Carol], now + 1),
                    ct
                );
                await AddListAsync(records, new TodoList("demo-desk", "My desk", "tasks", Alice, [Alice], now + 2), ct);
                (string Title, bool Done, Member By)[] tasks =
                [
                    ("Book the ferry", true, Alice),
                    ("Borrow the spotting scope", false, Bob),
                    ("Check the tide tables", false, Alice),
                    ("Pack boots and gaiters", false, Bob),
                ];
                foreach (var (i, task) in tasks.Index())
                {
                    await records.PutAsync(
                        Space("demo-trip"),
                        TaskKey("demo-trip", $"t{i}"),
                        new TodoTask($"t{i}", "demo-trip", task.Title, "", task.Done, task.By, now + i),
                        cancellationToken: ct
                    );
                }
                (string Name, int Quantity, bool Bought, Member By)[] items =
                [
                    ("Oat milk", 2, false, Alice),
                    ("Rye bread", 1, true, Carol),
                    ("Apples", 6, false, Bob),
                    ("Coffee beans", 1, false, Alice),
                ];
                foreach (var (i, item) in items.Index())
                {
                    await records.PutAsync(
                        Space("demo-groceries"),
                        ItemKey("demo-groceries", $"i{i}"),
                        new ShoppingItem($"i{i}", "demo-groceries", item.Name, item.Quantity, item.Bought, item.By, now + i),
                        cancellationToken: ct
                    );
                }
                await records.PutAsync(
                    Space("demo-desk"),
                    TaskKey("demo-desk", "d0"),
                    new TodoTask("d0", "demo-desk", "Answer the ringing group", "", false, Alice, now),
                    cancellationToken: ct
                );
            },
            cancellationToken
        );

    private static async ValueTask AddListAsync(RecordWriter records, TodoList list, CancellationToken cancellationToken)
    {
        foreach (var member in list.Members)
            await records.GrantAsync(Space(list.Id), member.Id, cancellationToken);
        await records.PutAsync(Space(list.Id), ListKey(list.Id), list, cancellationToken: cancellationToken);
    }
}
