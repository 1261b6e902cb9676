using Dunlin.Identity;
using Dunlin.Journal;
using Dunlin.Limits;
using Dunlin.Records;
using Dunlin.Topics;
using static Dunlin.Apps.Todos.TodoSpaces;

namespace Dunlin.Apps.Todos.People;

/// <summary>A user who can be invited.</summary>
internal sealed record Person(string UserId, string Username, string Name);

/// <summary>
/// Finds users to invite. Threat: a caller must not collect the user names of strangers. So the caller sees only the members of shared
/// lists; any other user is found by the exact user name, at a limited rate. Thread-safe.
/// </summary>
internal sealed class PeopleService(IStore store, IAccounts accounts, UserRates rates)
{
    private static readonly UserRate Lookups = UserRate.Hourly("look-ups of user names", TodoLimits.LookupsPerHour);

    /// <summary>Returns the other members of the caller's lists, by name.</summary>
    public async ValueTask<IReadOnlyList<Person>> KnownAsync(Caller caller, CancellationToken cancellationToken)
    {
        var ids = await store.ReadAsync(
            async (scope, ct) =>
            {
                var access = scope.RecordTables().Access;
                var found = new HashSet<string>(StringComparer.Ordinal);
                foreach (var space in await access.ListByUserAsync(caller.UserId, ct))
                {
                    if (!space.IsGranted || !IsList(space.Space))
                        continue;
                    foreach (var member in await access.ListMembersAsync(space.Space, ct))
                    {
                        if (member.IsGranted && member.UserId != caller.UserId)
                            found.Add(member.UserId);
                        if (found.Count == TodoLimits.KnownPeople)
                            return found;
                    }
                }
                return found;
            },
            cancellationToken
        );
        var people = new List<Person>();
        foreach (var id in ids)
        {
            if (await accounts.FindAsync(id, cancellationToken) is { } account)
                people.Add(Of(account));
        }
        return [.. people.OrderBy(person => person.Name, StringComparer.Ordinal).ThenBy(person => person.UserId, StringComparer.Ordinal)];
    }

    /// <summary>Returns the user with this name, compared without case, or nobody.</summary>
    /// <exception cref="Diagnostics.DunlinException"><see cref="Diagnostics.ErrorCode.TooManyRequests"/>: the caller looks up too many
    /// names. <see cref="Diagnostics.ErrorCode.InvalidField"/>: the name is empty or too long.</exception>
    public async ValueTask<IReadOnlyList<Person>> FindAsync(Caller caller, string username, CancellationToken cancellationToken)
    {
        var name = Text(username, MaxUsername, "username");
        rates.Take(Lookups, caller.UserId);
        return await accounts.FindByNameAsync(name, cancellationToken) is { } account ? [Of(account)] : [];
    }

    private static Person Of(UserAccount account) => new(account.UserId, account.Username, account.FullName);
}
