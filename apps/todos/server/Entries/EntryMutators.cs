using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Replicache;
using static Dunlin.Apps.Todos.TodoSpaces;

namespace Dunlin.Apps.Todos.Entries;

/// <summary>The mutators for tasks and shopping items. Every member of a list may run them.</summary>
internal static class EntryMutators
{
    private const int MaxTitle = 300;
    private const int MaxNote = 4_000;
    private const int MaxQuantity = 100_000;

    public static void Add(ReplicacheBuilder replicache) =>
        replicache
            .AddMutator<CreateTaskArgs>("createTask", CreateTaskAsync)
            .AddMutator<UpdateTaskArgs>("updateTask", UpdateTaskAsync)
            .AddMutator<EntryArgs>(
                "deleteTask",
                static (mutation, args, ct) => DeleteAsync(mutation, args, TaskKey(args.ListId, args.Id), ct)
            )
            .AddMutator<CreateItemArgs>("createItem", CreateItemAsync)
            .AddMutator<UpdateItemArgs>("updateItem", UpdateItemAsync)
            .AddMutator<AdjustItemArgs>("adjustItem", AdjustItemAsync)
            .AddMutator<EntryArgs>(
                "deleteItem",
                static (mutation, args, ct) => DeleteAsync(mutation, args, ItemKey(args.ListId, args.Id), ct)
            );

    private static async ValueTask CreateTaskAsync(Mutation mutation, CreateTaskArgs args, CancellationToken cancellationToken)
    {
        var key = await NewKeyAsync(mutation, args.ListId, TaskKey(args.ListId, Id(args.Id, "id")), cancellationToken);
        var task = new TodoTask(
            args.Id,
            args.ListId,
            Text(args.Title, MaxTitle, "title"),
            Note(args.Note),
            args.Done,
            mutation.Me(),
            mutation.Unit.Now.ToUnixTimeMilliseconds(),
            Due(args.Due),
            Order(args.Order)
        );
        await mutation.Records.PutAsync(Space(args.ListId), key, task, cancellationToken: cancellationToken);
    }

    private static async ValueTask UpdateTaskAsync(Mutation mutation, UpdateTaskArgs args, CancellationToken cancellationToken)
    {
        var key = TaskKey(args.ListId, args.Id);
        var task = await RequireAsync<TodoTask>(mutation, args.ListId, key, cancellationToken);
        // Change only the fields that the client names, so that concurrent offline edits of different fields both survive.
        task = task with
        {
            Title = args.Title is null ? task.Title : Text(args.Title, MaxTitle, "title"),
            Note = args.Note is null ? task.Note : Note(args.Note),
            Done = args.Done ?? task.Done,
            Due = args.Due is null ? task.Due : Due(args.Due),
            Order = Order(args.Order) ?? task.Order,
        };
        await mutation.Records.PutAsync(Space(args.ListId), key, task, cancellationToken: cancellationToken);
    }

    private static async ValueTask CreateItemAsync(Mutation mutation, CreateItemArgs args, CancellationToken cancellationToken)
    {
        var key = await NewKeyAsync(mutation, args.ListId, ItemKey(args.ListId, Id(args.Id, "id")), cancellationToken);
        var item = new ShoppingItem(
            args.Id,
            args.ListId,
            Text(args.Name, MaxTitle, "name"),
            Quantity(args.Quantity),
            args.Bought,
            mutation.Me(),
            mutation.Unit.Now.ToUnixTimeMilliseconds(),
            Order(args.Order)
        );
        await mutation.Records.PutAsync(Space(args.ListId), key, item, cancellationToken: cancellationToken);
    }

    private static async ValueTask UpdateItemAsync(Mutation mutation, UpdateItemArgs args, CancellationToken cancellationToken)
    {
        var key = ItemKey(args.ListId, args.Id);
        var item = await RequireAsync<ShoppingItem>(mutation, args.ListId, key, cancellationToken);
        item = item with
        {
            Name = args.Name is null ? item.Name : Text(args.Name, MaxTitle, "name"),
            Bought = args.Bought ?? item.Bought,
            Order = Order(args.Order) ?? item.Order,
        };
        await mutation.Records.PutAsync(Space(args.ListId), key, item, cancellationToken: cancellationToken);
    }

    /// <summary>Changes the quantity of an item by a difference, so that two concurrent increments by one add up to two.</summary>
    private static async ValueTask AdjustItemAsync(Mutation mutation, AdjustItemArgs args, CancellationToken cancellationToken)
    {
        var key = ItemKey(args.ListId, args.Id);
        var item = await RequireAsync<ShoppingItem>(mutation, args.ListId, key, cancellationToken);
        await mutation.Records.PutAsync(
            Space(args.ListId),
            key,
            item with
            {
                Quantity = Quantity(item.Quantity + args.By),
            },
            cancellationToken: cancellationToken
        );
    }

    private static async ValueTask DeleteAsync(Mutation mutation, EntryArgs args, string key, CancellationToken cancellationToken)
    {
        await mutation.RequireListAsync(args.ListId, cancellationToken);
        await mutation.Records.DeleteAsync(Space(args.ListId), key, cancellationToken);
    }

    private static async ValueTask<string> NewKeyAsync(Mutation mutation, string listId, string key, CancellationToken cancellationToken)
    {
        await mutation.RequireListAsync(listId, cancellationToken);
        if (await mutation.Records.FindAsync(Space(listId), key, cancellationToken) is not null)
            throw new DunlinException(ErrorCode.Conflict, "An entry with this id already exists.");
        // The space also contains the record of the list.
        if (await mutation.Records.CountAsync(Space(listId), cancellationToken) > TodoLimits.Entries)
            throw DunlinException.Limit(TodoLimits.Entries, "entries of a list; delete some first");
        return key;
    }

    private static async ValueTask<T> RequireAsync<T>(Mutation mutation, string listId, string key, CancellationToken cancellationToken)
        where T : class
    {
        await mutation.RequireListAsync(listId, cancellationToken);
        return await mutation.Records.FindAsync<T>(Space(listId), key, cancellationToken)
            ?? throw new DunlinException(ErrorCode.NotFound, "No entry with this id in the list, or it was deleted.");
    }

    private static int Quantity(int quantity) =>
        quantity is >= 0 and <= MaxQuantity
            ? quantity
            : throw new DunlinException(
                ErrorCode.InvalidField,
                $"'quantity' must be a number from 0 to {MaxQuantity}, not {quantity}.",
                "quantity"
            );

    private static string Note(string note) =>
        note.Length <= MaxNote
            ? note
            : throw new DunlinException(ErrorCode.InvalidField, $"'note' must have at most {MaxNote} characters.", "note");

    /// <summary>Validates a due date. An empty text removes it, because null means that the client did not name the field.</summary>
    private static string? Due(string? due)
    {
        if (string.IsNullOrEmpty(due))
            return null;
        return DateOnly.TryParseExact(due, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? due
            : throw new DunlinException(ErrorCode.InvalidField, "'due' must be a date as yyyy-MM-dd, or empty for none.", "due");
    }

    private static string? Order(string? order) => order is null ? null : OrderKey.Validate(order);

    private sealed record EntryArgs(string ListId, string Id);

    // The optional arguments of the create mutators restore a deleted entry.
    private sealed record CreateTaskArgs(
        string ListId,
        string Id,
        string Title,
        string Note = "",
        bool Done = false,
        string? Due = null,
        string? Order = null
    );

    private sealed record UpdateTaskArgs(
        string ListId,
        string Id,
        string? Title = null,
        string? Note = null,
        bool? Done = null,
        string? Due = null,
        string? Order = null
    );

    private sealed record CreateItemArgs(
        string ListId,
        string Id,
        string Name,
        int Quantity = 1,
        bool Bought = false,
        string? Order = null
    );

    private sealed record UpdateItemArgs(string ListId, string Id, string? Name = null, bool? Bought = null, string? Order = null);

    private sealed record AdjustItemArgs(string ListId, string Id, int By);
}
