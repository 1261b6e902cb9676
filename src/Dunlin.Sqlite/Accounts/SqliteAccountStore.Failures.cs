using Dunlin.Accounts;
using Dunlin.Sqlite.Schema;

namespace Dunlin.Sqlite.Accounts;

internal sealed partial class SqliteAccountStore
{
    private static readonly SqlText FindFailures = new("failures_find");
    private static readonly SqlText AddFailures = new("failures_add");
    private static readonly SqlText ReplaceFailures = new("failures_replace");
    private static readonly SqlText ClearFailures = new("failures_clear");
    private static readonly SqlText ForgetFailures = new("failures_forget");
    private static readonly SqlText TrimFailures = new("failures_trim");

    public ValueTask<SignInFailures> FindFailuresAsync(string subject, CancellationToken cancellationToken) =>
        store.QueryAsync(
            database =>
            {
                var row = database.Prepare(FindFailures).Bind(1, subject);
                var failures = row.Step()
                    ? new SignInFailures((int)row.Int64(0), Time(row.Int64(1)), Time(row.Int64(2)), row.Int64(3) != 0)
                    : SignInFailures.None;
                row.Reset();
                return failures;
            },
            cancellationToken);

    public ValueTask<bool> TryReplaceFailuresAsync(
        string subject, SignInFailures expected, SignInFailures next, CancellationToken cancellationToken) =>
        store.ChangeAsync(
            session =>
            {
                var isNew = expected == SignInFailures.None;
                var row = session.Database.Prepare(isNew ? AddFailures : ReplaceFailures)
                    .Bind(1, subject)
                    .Bind(2, next.Count)
                    .Bind(3, next.LastAt.UtcTicks)
                    .Bind(4, next.LockedUntil.UtcTicks)
                    .Bind(5, next.HasAccount ? 1 : 0);
                if (!isNew)
                    row.Bind(6, expected.Count).Bind(7, expected.LastAt.UtcTicks).Bind(8, expected.LockedUntil.UtcTicks);
                var replaced = row.Step();
                row.Reset();
                return replaced;
            },
            cancellationToken);

    public async ValueTask ClearFailuresAsync(string subject, CancellationToken cancellationToken) =>
        await store.ChangeAsync(
            session =>
            {
                session.Database.Prepare(ClearFailures).Bind(1, subject).Run();
                return true;
            },
            cancellationToken);

    public async ValueTask ForgetFailuresAsync(DateTimeOffset before, int maxWithoutAccount, CancellationToken cancellationToken) =>
        await store.ChangeAsync(
            session =>
            {
                session.Database.Prepare(ForgetFailures).Bind(1, before.UtcTicks).Run();
                session.Database.Prepare(TrimFailures).Bind(1, maxWithoutAccount).Run();
                return true;
            },
            cancellationToken);

    private static DateTimeOffset Time(long ticks) => new(ticks, TimeSpan.Zero);
}
