using Dunlin.Apps.Todos.Invitations;
using Dunlin.Diagnostics;
using Dunlin.Records;
using Dunlin.Replicache;
using static Dunlin.Apps.Todos.TodoSpaces;

namespace Dunlin.Apps.Todos.Lists;

/// <summary>
/// The mutators for lists. Only the owner may rename, share and delete a list. <see cref="InvitationMutators"/> adds members.
/// </summary>
internal static class ListMutators
{
    private const int MaxName = 80;

    public static void Add(ReplicacheBuilder replicache) =>
        replicache
            .AddMutator<CreateListArgs>("createList", CreateAsync)
            .AddMutator<RenameListArgs>("renameList", RenameAsync)
            .AddMutator<ListArgs>("deleteList", DeleteAsync)
            .AddMutator<UnshareListArgs>("unshareList", UnshareAsync);

    private static async ValueTask CreateAsync(Mutation mutation, CreateListArgs args, CancellationToken cancellationToken)
    {
        var (records, space, me) = (mutation.Records, Space(Id(args.Id, "id")), mutation.Me());
        // The id of a deleted list stays reserved: readers that have not pulled the deletion must not receive another list under it.
        if (
            (await records.MembersAsync(space, cancellationToken)).Count > 0
            || await mutation.Unit.RecordTables().Records.FindAsync(space, ListKey(args.Id), cancellationToken) is not null
        )
            throw new DunlinException(ErrorCode.Conflict, $"A list with id '{args.Id}' already exists.");
        if (args.Kind is not ("tasks" or "shopping"))
            throw new DunlinException(ErrorCode.InvalidField, "'kind' must be tasks or shopping.", "kind");
        await mutation.RequireRoomAsync(cancellationToken);
        await records.GrantAsync(space, me.Id, cancellationToken);
        var list = new TodoList(args.Id, Text(args.Name, MaxName, "name"), args.Kind, me, [me], mutation.Unit.Now.ToUnixTimeMilliseconds());
        await records.PutAsync(space, ListKey(args.Id), list, cancellationToken: cancellationToken);
    }

    private static async ValueTask RenameAsync(Mutation mutation, RenameListArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireOwnListAsync(args.Id, cancellationToken);
        await mutation.Records.PutAsync(
            Space(args.Id),
            ListKey(args.Id),
            list with
            {
                Name = Text(args.Name, MaxName, "name"),
            },
            cancellationToken: cancellationToken
        );
    }

    private static async ValueTask DeleteAsync(Mutation mutation, ListArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireOwnListAsync(args.Id, cancellationToken);
        foreach (var invited in list.Invited ?? [])
            await InvitationMutators.TakeBackAsync(mutation, list, invited.Username, cancellationToken);
        foreach (var row in await mutation.Records.ListAsync(Space(args.Id), cancellationToken: cancellationToken))
            await mutation.Records.DeleteAsync(Space(args.Id), row.Key, cancellationToken);
        // Revoke access after the deletions, so that the members still receive them. A space without readers adds nothing to pulls.
        foreach (var member in await mutation.Records.MembersAsync(Space(args.Id), cancellationToken))
            await mutation.Records.RevokeAsync(Space(args.Id), member.UserId, cancellationToken);
    }

    private static async ValueTask UnshareAsync(Mutation mutation, UnshareListArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireListAsync(args.Id, cancellationToken);
        if (args.UserId == list.Owner.Id)
            throw new DunlinException(ErrorCode.Forbidden, "The owner cannot leave the list. Delete it instead.");
        if (list.Owner.Id != mutation.Caller.UserId && args.UserId != mutation.Caller.UserId)
            throw new DunlinException(ErrorCode.Forbidden, "Only the owner of the list can do this.");
        if (!await mutation.Records.RevokeAsync(Space(args.Id), args.UserId, cancellationToken))
            return;
        IReadOnlyList<Member> members = [.. list.Members.Where(member => member.Id != args.UserId)];
        await mutation.Records.PutAsync(
            Space(args.Id),
            ListKey(args.Id),
            list with
            {
                Members = members,
            },
            cancellationToken: cancellationToken
        );
    }

    private sealed record CreateListArgs(string Id, string Name, string Kind);

    private sealed record RenameListArgs(string Id, string Name);

    private sealed record ListArgs(string Id);

    private sealed record UnshareListArgs(string Id, string UserId);
}
