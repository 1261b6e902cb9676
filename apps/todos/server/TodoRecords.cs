using System.Text.Json.Serialization;
using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Records;
using Dunlin.Replicache;
using Dunlin.Topics;

namespace Dunlin.Apps.Todos;

/// <summary>Somebody who sees a list.</summary>
public sealed record Member(string Id, string Name);

/// <summary>An invitation that nobody has accepted yet, as the members of the list see it: the name as it was typed, whether or not
/// there is such a user.</summary>
public sealed record Invited(string Username, long CreatedAt);

/// <summary>A list: one space, which holds this record and the entries. <paramref name="Kind"/> is <c>tasks</c> or <c>shopping</c>.
/// <paramref name="Invited"/> is null in records that were written before there were invitations.</summary>
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
    /// <summary>The invitation of a user name, compared without case like the names of accounts.</summary>
    public Invited? InvitationOf(string username) =>
        Invited?.FirstOrDefault(invited =>
            string.Equals(AccountRow.NameKey(invited.Username), AccountRow.NameKey(username), StringComparison.Ordinal)
        );

    /// <summary>The list without the invitation of a user name.</summary>
    public TodoList WithoutInvitationOf(string username) =>
        InvitationOf(username) is { } gone ? this with { Invited = [.. Invited!.Where(invited => invited != gone)] } : this;
}

/// <summary>An invitation as the invited user sees it; it lies in a space of that user's own.</summary>
/// <param name="Id">The list.</param>
/// <param name="Name">Its name when the invitation was made.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="From">Its owner.</param>
/// <param name="Username">The name that was typed.</param>
/// <param name="CreatedAt">When it was made, in Unix milliseconds.</param>
public sealed record Invitation(string Id, string Name, string Kind, Member From, string Username, long CreatedAt);

/// <summary>Something to do.</summary>
public sealed record TodoTask(string Id, string ListId, string Title, string Note, bool Done, Member CreatedBy, long CreatedAt);

/// <summary>Something to buy.</summary>
public sealed record ShoppingItem(string Id, string ListId, string Name, int Quantity, bool Bought, Member CreatedBy, long CreatedAt);

/// <summary>Where the records lie, and who may touch them.</summary>
internal static class TodoSpaces
{
    private const string Root = "todos";

    public static SpaceName Space(string listId) => SpaceName.Of(Root, listId);

    /// <summary>Where one user's invitations lie.</summary>
    public static SpaceName Inbox(string userId) => SpaceName.Of("todos-inbox", userId);

    public static string InvitationKey(string listId) => "invitation/" + listId;

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
        return list.Owner.Id == mutation.Caller.UserId
            ? list
            : throw new DunlinException(ErrorCode.Forbidden, "Only the owner of a list may do this.");
    }

    /// <summary>The lists that a user sees: own ones and those of others.</summary>
    public static async ValueTask<IReadOnlyList<TodoList>> ListsOfAsync(
        this Mutation mutation,
        string userId,
        CancellationToken cancellationToken
    )
    {
        var lists = new List<TodoList>();
        foreach (var access in await mutation.Unit.RecordTables().Access.ListByUserAsync(userId, cancellationToken))
        {
            if (!access.IsGranted || !NamePrefix.Covers(Root, access.Space.Value))
                continue;
            var key = ListKey(access.Space.Value[(Root.Length + 1)..]);
            if (await mutation.Records.FindAsync<TodoList>(access.Space, key, cancellationToken) is { } list)
                lists.Add(list);
        }
        return lists;
    }

    /// <summary>Throws where one more list would be more than a user may see.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.LimitReached"/>.</exception>
    public static async ValueTask RequireRoomAsync(this Mutation mutation, CancellationToken cancellationToken)
    {
        if ((await mutation.ListsOfAsync(mutation.Caller.UserId, cancellationToken)).Count >= TodoLimits.Lists)
            throw DunlinException.Limit(TodoLimits.Lists, "lists for each user, own and shared ones; delete or leave one first");
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
    public static string Id(string id, string field) =>
        id.Length is >= 1 and <= 40 && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? id
            : throw new DunlinException(ErrorCode.InvalidField, $"'{field}' has 1 to 40 letters, digits, - and _.", field);
}
