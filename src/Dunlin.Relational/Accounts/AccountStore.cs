using System.Data.Common;
using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Journal;
using Dunlin.Relational.Journal;
using Dunlin.Relational.Sql;

namespace Dunlin.Relational.Accounts;

/// <summary>Stores accounts and failed sign-ins in the database. Thread-safe.</summary>
internal sealed class AccountStore(RelationalStore store) : IAccountStore
{
    public ValueTask<AccountRow?> FindByNameAsync(string username, CancellationToken cancellationToken) =>
        FindAsync("account_find_by_name", AccountRow.NameKey(username), cancellationToken);

    public ValueTask<AccountRow?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        FindAsync("account_find_by_id", userId, cancellationToken);

    public ValueTask<bool> SaveAsync(AccountRow account, CancellationToken cancellationToken) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var session = ((UnitOfWork)unit).Session;
                try
                {
                    var replaced = await session
                        .Call("account_save")
                        .Text(account.UserId)
                        .Text(AccountRow.NameKey(account.Username))
                        .Text(account.Username)
                        .Text(account.FullName)
                        .Text(account.PasswordHash)
                        .Text(JsonSerializer.Serialize(account.Roles, RelationalJson.Default.IReadOnlyListString))
                        .Text(account.SecurityStamp)
                        .Number(account.Version ?? -1)
                        .FindAsync<bool?>(static row => row.Flag(0), ct);
                    if (replaced is true && store.Dialect.IsShared)
                        await unit.RightsChangedAsync(account.UserId, ct);
                    return replaced is not null;
                }
                catch (DbException exception) when (session.IsDuplicate(exception))
                {
                    throw AccountRow.NameTaken(account.Username);
                }
            },
            cancellationToken
        );

    public ValueTask<IReadOnlyList<AccountRow>> ListAsync(CancellationToken cancellationToken) =>
        store.LookUpAsync(static (session, ct) => session.Call("account_list").ListAsync(Read, ct), cancellationToken);

    public async ValueTask<SignInFailures> FindFailuresAsync(string subject, CancellationToken cancellationToken) =>
        await store.LookUpAsync((session, ct) => session.Call("failures_find").Text(subject).FindAsync(ReadFailures, ct), cancellationToken)
        ?? SignInFailures.None;

    // Changes of failures are single statements outside the journal lock (if the dialect has one), so password guessing does not block
    // writers.
    public async ValueTask<bool> TryReplaceFailuresAsync(
        string subject,
        SignInFailures expected,
        SignInFailures next,
        CancellationToken cancellationToken
    ) =>
        await store.ChangeAsync(
            (session, ct) =>
            {
                var isNew = expected == SignInFailures.None;
                var call = session
                    .Call(isNew ? "failures_add" : "failures_replace")
                    .Text(subject)
                    .Number(next.Count)
                    .Time(next.LastAt)
                    .Time(next.LockedUntil)
                    .Flag(next.HasAccount);
                if (!isNew)
                    call.Number(expected.Count).Time(expected.LastAt).Time(expected.LockedUntil);
                return call.RunAsync(ct);
            },
            cancellationToken
        ) == 1;

    public async ValueTask ClearFailuresAsync(string subject, CancellationToken cancellationToken) =>
        await store.ChangeAsync((session, ct) => session.Call("failures_clear").Text(subject).RunAsync(ct), cancellationToken);

    public async ValueTask ForgetFailuresAsync(DateTimeOffset before, int maxWithoutAccount, CancellationToken cancellationToken) =>
        await store.ChangeAsync(
            async (session, ct) =>
            {
                await session.Call("failures_forget").Time(before).RunAsync(ct);
                return await session.Call("failures_trim").Number(maxWithoutAccount).RunAsync(ct);
            },
            cancellationToken
        );

    private async ValueTask<AccountRow?> FindAsync(string statement, string value, CancellationToken cancellationToken) =>
        // The database contains no text with NUL, and PostgreSQL rejects such a parameter.
        value.Contains('\0', StringComparison.Ordinal)
            ? null
            : await store.LookUpAsync((session, ct) => session.Call(statement).Text(value).FindAsync(Read, ct), cancellationToken);

    private static AccountRow Read(ISqlRow row) =>
        new(
            row.Text(0),
            row.Text(1),
            row.Text(2),
            row.Text(3),
            JsonSerializer.Deserialize(row.Text(4), RelationalJson.Default.IReadOnlyListString)!
        )
        {
            SecurityStamp = row.Text(5),
            Version = row.Number(6),
        };

    private static SignInFailures ReadFailures(ISqlRow row) => new((int)row.Number(0), row.Time(1), row.Time(2), row.Flag(3));
}
