using Dunlin.Diagnostics;
using Dunlin.Records;
using Dunlin.Replicache;

namespace Dunlin.Apps.Todos;

/// <summary>Somebody who sees a list.</summary>
public sealed record Member(string Id, string Name);

/// <summary>A list: one space, which holds this record and the entries. <paramref name="Kind"/> is <c>tasks</c> or <c>shopping</c>.</summary>
public sealed record TodoList(string Id, string Name, string Kind, Member Owner, IReadOnlyList<Member> Members, long CreatedAt);

/// <summary>Something to do.</summary>
public sealed record TodoTask(string Id, string ListId, string Title, string Note, bool Done, Member CreatedBy, long CreatedAt);

/// <summary>Something to buy.</summary>
public sealed record ShoppingItem(string Id, string ListId, string Name, int Quantity, bool Bought, Member CreatedBy, long CreatedAt);

/// <summary>Where the records lie, and who may touch them.</summary>
internal static class TodoSpaces
{
    public static SpaceName Space(string listId) => SpaceName.Of("todos", listId);

    public static string ListKey(string listId) => "list/" + listId;

    // The list's id is part of the key: ids that clients choose cannot meet across lists.
    public static string TaskKey(string listId, string id) => $"task/{listId}/{id}";

    public static string ItemKey(string listId, string id) => $"item/{listId}/{id}";

    /// <summary>The list, for one who may read and change it. Unknown and foreign lists are refused alike.</summary>
    public static async ValueTask<TodoList> RequireListAsync(this Mutation mutation, string listId, CancellationToken cancellationToken)
    {
        var isMember = await mutation.Records.MayReadAsync(Space(listId), mutation.Caller.UserId, cancellationToken);
        return isMember && await mutation.Records.FindAsync<TodoList>(Space(listId), ListKey(listId), cancellationToken) is { } list
            ? list
            : throw new DunlinException(ErrorCode.Forbidden, "There is no such list for you.");
    }

    public static async ValueTask<TodoList> RequireOwnListAsync(this Mutation mutation, string listId, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireListAsync(listId, cancellationToken);
        return list.Owner.Id == mutation.Caller.UserId ? list : throw new DunlinException(ErrorCode.Forbidden, "Only the owner of a list may do this.");
    }

    public static Member Me(this Mutation mutation) => new(mutation.Caller.UserId, mutation.Caller.Name);

    /// <summary>A text that somebody typed: trimmed, not empty, not endless.</summary>
    public static string Text(string text, int maxLength, string field)
    {
        var trimmed = text.Trim();
        return trimmed.Length >= 1 && trimmed.Length <= maxLength
            ? trimmed
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' has 1 to {maxLength} characters.", field);
    }

    /// <summary>An id that a client chose.</summary>
    public static string Id(string id, string field) => id.Length is >= 1 and <= 40 && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        ? id
        : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' has 1 to 40 letters, digits, - and _.", field);
}
