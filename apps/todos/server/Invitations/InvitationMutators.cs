using Dunlin.Diagnostics;
using Dunlin.Identity;
using Dunlin.Replicache;
using Microsoft.Extensions.DependencyInjection;
using static Dunlin.Apps.Todos.TodoSpaces;

namespace Dunlin.Apps.Todos.Invitations;

/// <summary>
/// The mutators that share a list. The owner invites a user name; the invited user receives no data of the list before accepting. Threat:
/// an owner must not learn which user names exist, except by the limited look-ups of <see cref="People.PeopleService"/>. So the owner sees
/// the same result for unknown users and for declined invitations.
/// </summary>
internal static class InvitationMutators
{
    public static void Add(ReplicacheBuilder replicache) =>
        replicache
            .AddMutator<UsernameArgs>("shareList", InviteAsync)
            .AddMutator<UsernameArgs>("withdrawInvitation", WithdrawAsync)
            .AddMutator<InvitationArgs>("acceptInvitation", AcceptAsync)
            .AddMutator<InvitationArgs>("declineInvitation", DeclineAsync);

    /// <summary>Removes the invitation from the invited user's inbox, if it exists there.</summary>
    public static async ValueTask TakeBackAsync(Mutation mutation, TodoList list, string username, CancellationToken cancellationToken)
    {
        if (await FindAccountAsync(mutation, username, cancellationToken) is { } account)
            await mutation.Records.DeleteAsync(Inbox(account.UserId), InvitationKey(list.Id), cancellationToken);
    }

    private static async ValueTask InviteAsync(Mutation mutation, UsernameArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireOwnListAsync(args.Id, cancellationToken);
        var username = Text(args.Username, MaxUsername, "username");
        var account = await FindAccountAsync(mutation, username, cancellationToken);
        // The owner already sees the members, so this answer reveals nothing.
        if (list.InvitationOf(username) is not null || list.Members.Any(member => member.Id == account?.UserId))
            return;
        if (list.Members.Count + (list.Invited?.Count ?? 0) >= TodoLimits.Members)
            throw DunlinException.Limit(TodoLimits.Members, "members of a list, invited users included");
        var own = await mutation.ListsOfAsync(mutation.Caller.UserId, cancellationToken);
        if (
            own.Where(other => other.Owner.Id == mutation.Caller.UserId).Sum(other => other.Invited?.Count ?? 0)
            >= TodoLimits.SentInvitations
        )
            throw DunlinException.Limit(TodoLimits.SentInvitations, "pending invitations; withdraw one first");
        var now = mutation.Unit.Now.ToUnixTimeMilliseconds();
        var invited = list with { Invited = [.. list.Invited ?? [], new Invited(username, now)] };
        await mutation.Records.PutAsync(Space(list.Id), ListKey(list.Id), invited, cancellationToken: cancellationToken);
        if (account is not null)
            await DeliverAsync(
                mutation,
                account,
                new Invitation(list.Id, list.Name, list.Kind, list.Owner, username, now),
                cancellationToken
            );
    }

    private static async ValueTask DeliverAsync(
        Mutation mutation,
        UserAccount account,
        Invitation invitation,
        CancellationToken cancellationToken
    )
    {
        var inbox = Inbox(account.UserId);
        if ((await mutation.Records.ListAsync(inbox, cancellationToken: cancellationToken)).Count >= TodoLimits.ReceivedInvitations)
            return;
        await mutation.Records.GrantAsync(inbox, account.UserId, cancellationToken);
        await mutation.Records.PutAsync(inbox, InvitationKey(invitation.Id), invitation, cancellationToken: cancellationToken);
    }

    private static async ValueTask WithdrawAsync(Mutation mutation, UsernameArgs args, CancellationToken cancellationToken)
    {
        var list = await mutation.RequireOwnListAsync(args.Id, cancellationToken);
        if (list.InvitationOf(args.Username) is not { } invited)
            return;
        await TakeBackAsync(mutation, list, invited.Username, cancellationToken);
        await mutation.Records.PutAsync(
            Space(list.Id),
            ListKey(list.Id),
            list.WithoutInvitationOf(invited.Username),
            cancellationToken: cancellationToken
        );
    }

    private static async ValueTask AcceptAsync(Mutation mutation, InvitationArgs args, CancellationToken cancellationToken)
    {
        var (inbox, me) = (Inbox(mutation.Caller.UserId), mutation.Me());
        var invitation =
            await mutation.Records.FindAsync<Invitation>(inbox, InvitationKey(args.Id), cancellationToken)
            ?? throw new DunlinException(ErrorCode.NotFound, $"No invitation to the list '{args.Id}'.");
        var list = await mutation.Records.FindAsync<TodoList>(Space(args.Id), ListKey(args.Id), cancellationToken);
        // An invitation that is missing from its list was withdrawn.
        if (list?.InvitationOf(invitation.Username) is not null)
        {
            await mutation.RequireRoomAsync(cancellationToken);
            if (list.Members.Count >= TodoLimits.Members)
                throw DunlinException.Limit(TodoLimits.Members, "members of a list");
            list = list.WithoutInvitationOf(invitation.Username);
            if (await mutation.Records.GrantAsync(Space(args.Id), me.Id, cancellationToken))
                list = list with { Members = [.. list.Members, me] };
            await mutation.Records.PutAsync(Space(args.Id), ListKey(args.Id), list, cancellationToken: cancellationToken);
        }
        await mutation.Records.DeleteAsync(inbox, InvitationKey(args.Id), cancellationToken);
    }

    private static async ValueTask DeclineAsync(Mutation mutation, InvitationArgs args, CancellationToken cancellationToken) =>
        await mutation.Records.DeleteAsync(Inbox(mutation.Caller.UserId), InvitationKey(args.Id), cancellationToken);

    private static ValueTask<UserAccount?> FindAccountAsync(Mutation mutation, string username, CancellationToken cancellationToken) =>
        mutation.Services.GetRequiredService<IAccounts>().FindByNameAsync(username, cancellationToken);

    private sealed record UsernameArgs(string Id, string Username);

    private sealed record InvitationArgs(string Id);
}
