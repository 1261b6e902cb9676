using Dunlin.Diagnostics;
using Dunlin.Replicache;
using static Dunlin.Apps.Todos.TodoSpaces;

namespace Dunlin.Apps.Todos.Entries;

/// <summary>What every member of a list can do with its tasks and shopping items.</summary>
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
            "",
            false,
            mutation.Me(),
            mutation.Unit.Now.ToUnixTimeMilliseconds()
        );
        await mutation.Records.PutAsync(Space(args.ListId), key, task, cancellationToken: cancellationToken);
    }

    private static async ValueTask UpdateTaskAsync(Mutation mutation, UpdateTaskArgs args, CancellationToken cancellationToken)
    {
        var key = TaskKey(args.ListId, args.Id);
        var task = await RequireAsync<TodoTask>(mutation, args.ListId, key, cancellationToken);
        if (args.Note is { Length: > MaxNote })
            throw new DunlinException(ErrorCode.InvalidField, $"'note' has at most {MaxNote} characters.", "note");
        // Only what the client names: two who edit different fields of a task offline both keep their work.
        task = task with
        {
            Title = args.Title is null ? task.Title : Text(args.Title, MaxTitle, "title"),
            Note = args.Note ?? task.Note,
            Done = args.Done ?? task.Done,
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
            false,
            mutation.Me(),
            mutation.Unit.Now.ToUnixTimeMilliseconds()
        );
        await mutation.Records.PutAsync(Space(args.ListId), key, item, cancellationToken: cancellationToken);
    }

    private static async ValueTask UpdateItemAsync(Mutation mutation, UpdateItemArgs args, CancellationToken cancellationToken)
    {
        var key = ItemKey(args.ListId, args.Id);
        var item = await RequireAsync<ShoppingItem>(mutation, args.ListId, key, cancellationToken);
        item = item with { Name = args.Name is null ? item.Name : Text(args.Name, MaxTitle, "name"), Bought = args.Bought ?? item.Bought };
        await mutation.Records.PutAsync(Space(args.ListId), key, item, cancellationToken: cancellationToken);
    }

    /// <summary>More or less of an item: a change and not a value, so that two who add one each end with two more.</summary>
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
            throw new DunlinException(ErrorCode.Conflict, "There is an entry with this id.");
        // The record of the list is one of the space too.
        if (await mutation.Records.CountAsync(Space(listId), cancellationToken) > TodoLimits.Entries)
            throw DunlinException.Limit(TodoLimits.Entries, "entries of a list; delete some first");
        return key;
    }

    private static async ValueTask<T> RequireAsync<T>(Mutation mutation, string listId, string key, CancellationToken cancellationToken)
        where T : class
    {
        await mutation.RequireListAsync(listId, cancellationToken);
        return await mutation.Records.FindAsync<T>(Space(listId), key, cancellationToken)
            ?? throw new DunlinException(ErrorCode.NotFound, "It has been deleted.");
    }

    private static int Quantity(int quantity) =>
        quantity is >= 0 and <= MaxQuantity
            ? quantity
            : throw new DunlinException(ErrorCode.InvalidField, $"'quantity' is a number from 0 to {MaxQuantity}.", "quantity");

    private sealed record EntryArgs(string ListId, string Id);

    private sealed record CreateTaskArgs(string ListId, string Id, string Title);

    private sealed record UpdateTaskArgs(string ListId, string Id, string? Title = null, string? Note = null, bool? Done = null);

    private sealed record CreateItemArgs(string ListId, string Id, string Name, int Quantity = 1);

    private sealed record UpdateItemArgs(string ListId, string Id, string? Name = null, bool? Bought = null);

    private sealed record AdjustItemArgs(string ListId, string Id, int By);
}
