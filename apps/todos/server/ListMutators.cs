using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Replicache;
using Microsoft.Extensions.DependencyInjection;
using static Dunlin.Apps.Todos.TodoSpaces;

namespace Dunlin.Apps.Todos;

/// <summary>What can be done with lists. Every member works in a list; its owner renames, shares and deletes it.</summary>
internal static class ListMutators
{
    private const int MaxName = 80;
    private const int MaxMembers = 50;

    public static void Add(ReplicacheBuilder replicache) => replicache
        .AddMutator<CreateListArgs>("createList", CreateAsync)
        .AddMutator<RenameListArgs>("renameList", RenameAsync)
        .AddMutator<ListArgs>("deleteList", DeleteAsync)
        .AddMutator<ShareListArgs>("shareList", ShareAsync)
        .AddMutator<UnshareListArgs>("unshareList", UnshareAsync);

    private static async ValueTask CreateAsync(Mutation mutation, CreateListArgs args, CancellationToken cancellationToken)
    {
        var (records, space, me) = (mutation.Records, Space(Id(args.Id, "id")), mutation.Me());
        // A deleted list keeps its id for ever: its readers must not become readers of another one.
        if ((await records.MembersAsync(space, cancellationToken)).Count > 0)
            throw new DunlinException(ErrorCode.Conflict, "There is a list with this id.");
        if (args.Kind is not ("tasks" or "shopping"))
            throw new DunlinException(ErrorCode.InvalidField, "'kind' is tasks or shopping.", "kind");
        await records.GrantAsync(space, me.Id, cancellationToken);
        var list = new TodoList(args.Id, Text(args.Name, MaxName, "name"), args.Kind, me, [me], mutation.Unit.Now.ToUnixTimeMilliseconds());
        await records.PutAsync(space, ListKey(args.Id), list, cancellationToken: cancellationToken);
    }

    private static async ValueTask RenameAsync(Mutation mutation, RenameListArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireOwnListAsync(args.Id, cancellationToken);
        await mutation.Records.PutAsync(Space(args.Id), ListKey(args.Id), list with { Name = Text(args.Name, MaxName, "name") }, cancellationToken: cancellationToken);
    }

    private static async ValueTask DeleteAsync(Mutation mutation, ListArgs args, CancellationToken cancellationToken)
    {
        await mutation.RequireOwnListAsync(args.Id, cancellationToken);
        // The members keep their access, to nothing: so the deletions reach them.
        foreach (var row in await mutation.Records.ListAsync(Space(args.Id), cancellationToken: cancellationToken))
            await mutation.Records.DeleteAsync(Space(args.Id), row.Key, cancellationToken);
    }

    private static async ValueTask ShareAsync(Mutation mutation, ShareListArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireOwnListAsync(args.Id, cancellationToken);
        var accounts = mutation.Services.GetRequiredService<IAccountStore>();
        var account = await accounts.FindByNameAsync(args.Username.Trim(), cancellationToken)
            ?? throw new DunlinException(ErrorCode.NotFound, "There is no such user.", "username");
        if (list.Members.Count >= MaxMembers)
            throw new DunlinException(ErrorCode.Conflict, $"A list has {MaxMembers} members at most.");
        if (!await mutation.Records.GrantAsync(Space(args.Id), account.UserId, cancellationToken))
            return;
        IReadOnlyList<Member> members = [.. list.Members, new Member(account.UserId, account.FullName)];
        await mutation.Records.PutAsync(Space(args.Id), ListKey(args.Id), list with { Members = members }, cancellationToken: cancellationToken);
    }

    private static async ValueTask UnshareAsync(Mutation mutation, UnshareListArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireListAsync(args.Id, cancellationToken);
        if (args.UserId == list.Owner.Id)
            throw new DunlinException(ErrorCode.Forbidden, "The owner cannot leave a list.");
        if (list.Owner.Id != mutation.Caller.UserId && args.UserId != mutation.Caller.UserId)
            throw new DunlinException(ErrorCode.Forbidden, "Only the owner of a list may do this.");
        if (!await mutation.Records.RevokeAsync(Space(args.Id), args.UserId, cancellationToken))
            return;
        IReadOnlyList<Member> members = [.. list.Members.Where(member => member.Id != args.UserId)];
        await mutation.Records.PutAsync(Space(args.Id), ListKey(args.Id), list with { Members = members }, cancellationToken: cancellationToken);
    }

    private sealed record CreateListArgs(string Id, string Name, string Kind);

    private sealed record RenameListArgs(string Id, string Name);

    private sealed record ListArgs(string Id);

    private sealed record ShareListArgs(string Id, string Username);

    private sealed record UnshareListArgs(string Id, string UserId);
}
