using System.Text.Json.Serialization;
using Dunlin.Diagnostics;
using Dunlin.Identity;
using Dunlin.Records;
using Dunlin.Replicache;
using Dunlin.Topics;

namespace Dunlin.Apps.Todos;

/// <summary>A user who sees a list.</summary>
public sealed record Member(string Id, string Name);

/// <summary>
/// A pending invitation as the members of the list see it: the user name that the owner typed, whether or not such a user exists.
/// </summary>
public sealed record Invited(string Username, long CreatedAt);

/// <summary>
/// A list: one space that contains this record and the entries. <paramref name="Kind"/> is <c>tasks</c> or <c>shopping</c>.
/// <paramref name="Invited"/> is null in records of versions without invitations.
/// </summary>
public sealed record TodoList(
    string Id,
    string Name,
    string Kind,
    Member Owner,
    IReadOnlyList<Member> Members,
    long CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Invited>? Invited = null
)
{
    /// <summary>Returns the invitation of a user name. Ignores case, as account names do.</summary>
    public Invited? InvitationOf(string username) =>
        Invited?.FirstOrDefault(invited =>
            string.Equals(UserAccount.NameKey(invited.Username), UserAccount.NameKey(username), StringComparison.Ordinal)
        );

    /// <summary>Returns the list without the invitation of a user name.</summary>
    public TodoList WithoutInvitationOf(string username) =>
        InvitationOf(username) is { } gone ? this with { Invited = [.. Invited!.Where(invited => invited != gone)] } : this;
}

/// <summary>An invitation as the invited user sees it, stored in that user's inbox.</summary>
/// <param name="Id">The list's id.</param>
/// <param name="Name">The list's name at the time of the invitation.</param>
/// <param name="Kind">The list's kind.</param>
/// <param name="From">The list's owner.</param>
/// <param name="Username">The user name that the owner typed.</param>
/// <param name="CreatedAt">When it was created, in Unix milliseconds.</param>
public sealed record Invitation(string Id, string Name, string Kind, Member From, string Username, long CreatedAt);

/// <summary>
/// A task of a list. Fields of later versions are optional and absent when unset, so that pages of earlier versions, which ignore them,
/// continue with schema version 1.
/// </summary>
/// <param name="Id">The client-chosen id.</param>
/// <param name="ListId">The list.</param>
/// <param name="Title">The title.</param>
/// <param name="Note">The note; empty for none.</param>
/// <param name="Done">Whether the task is done.</param>
/// <param name="CreatedBy">The user who created it.</param>
/// <param name="CreatedAt">When it was created, in Unix milliseconds.</param>
/// <param name="Due">The due date as <c>yyyy-MM-dd</c>, without a time zone: each user's own calendar decides when it is.</param>
/// <param name="Order">The <see cref="Entries.OrderKey"/> of a moved task. Null: the task is ordered by <paramref
/// name="CreatedAt"/>.</param>
public sealed record TodoTask(
    string Id,
    string ListId,
    string Title,
    string Note,
    bool Done,
    Member CreatedBy,
    long CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Due = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Order = null
);

/// <summary>A shopping item of a list. <paramref name="Order"/> is as in <see cref="TodoTask"/>.</summary>
public sealed record ShoppingItem(
    string Id,
    string ListId,
    string Name,
    int Quantity,
    bool Bought,
    Member CreatedBy,
    long CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Order = null
);

/// <summary>Names the spaces and keys of records, and checks access to them.</summary>
internal static class TodoSpaces
{
    public const int MaxUsername = 64;

    private const string Root = "todos";

    public static SpaceName Space(string listId) => SpaceName.Of(Root, listId);

    public static bool IsList(SpaceName space) => NamePrefix.Covers(Root, space.Value);

    /// <summary>Returns the space of one user's invitations.</summary>
    public static SpaceName Inbox(string userId) => SpaceName.Of("todos-inbox", userId);

    public static string InvitationKey(string listId) => "invitation/" + listId;

    public static string ListKey(string listId) => "list/" + listId;

    // The key contains the list's id, so that client-chosen ids of different lists cannot collide.
    public static string TaskKey(string listId, string id) => $"task/{listId}/{id}";

    public static string ItemKey(string listId, string id) => $"item/{listId}/{id}";

    /// <summary>Returns a list that the caller may read and change. Unknown lists and lists of others give the same error.</summary>
    public static async ValueTask<TodoList> RequireListAsync(this Mutation mutation, string listId, CancellationToken cancellationToken)
    {
        var isMember = await mutation.Records.MayReadAsync(Space(listId), mutation.Caller.UserId, cancellationToken);
        return isMember && await mutation.Records.FindAsync<TodoList>(Space(listId), ListKey(listId), cancellationToken) is { } list
            ? list
            : throw new DunlinException(ErrorCode.Forbidden, $"No list with id '{listId}' that you may read.");
    }

    public static async ValueTask<TodoList> RequireOwnListAsync(this Mutation mutation, string listId, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireListAsync(listId, cancellationToken);
        return list.Owner.Id == mutation.Caller.UserId
            ? list
            : throw new DunlinException(ErrorCode.Forbidden, "Only the owner of the list can do this.");
    }

    /// <summary>Returns the lists that a user sees, own and shared ones.</summary>
    public static async ValueTask<IReadOnlyList<TodoList>> ListsOfAsync(
        this Mutation mutation,
        string userId,
        CancellationToken cancellationToken
    )
    {
        var lists = new List<TodoList>();
        foreach (var access in await mutation.Unit.RecordTables().Access.ListByUserAsync(userId, cancellationToken))
        {
            if (!access.IsGranted || !IsList(access.Space))
                continue;
            var key = ListKey(access.Space.Value[(Root.Length + 1)..]);
            if (await mutation.Records.FindAsync<TodoList>(access.Space, key, cancellationToken) is { } list)
                lists.Add(list);
        }
        return lists;
    }

    /// <summary>Throws if the caller already sees the maximum of lists.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LimitReached"/>.</exception>
    public static async ValueTask RequireRoomAsync(this Mutation mutation, CancellationToken cancellationToken)
    {
        if ((await mutation.ListsOfAsync(mutation.Caller.UserId, cancellationToken)).Count >= TodoLimits.Lists)
            throw DunlinException.Limit(TodoLimits.Lists, "own and shared lists for one user; delete or leave one first");
    }

    public static Member Me(this Mutation mutation) => new(mutation.Caller.UserId, mutation.Caller.Name);

    /// <summary>Validates user input: trimmed, not empty, within the length limit.</summary>
    public static string Text(string text, int maxLength, string field)
    {
        var trimmed = text.Trim();
        return trimmed.Length >= 1 && trimmed.Length <= maxLength
            ? trimmed
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must have 1 to {maxLength} characters.", field);
    }

    /// <summary>Validates a client-chosen id.</summary>
    public static string Id(string id, string field) =>
        id.Length is >= 1 and <= 40 && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? id
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must have 1 to 40 letters, digits, - and _.", field);
}
