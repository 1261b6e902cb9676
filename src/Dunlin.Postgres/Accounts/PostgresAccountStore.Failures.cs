using Dunlin.Accounts;
using Dunlin.Postgres.Schema;

namespace Dunlin.Postgres.Accounts;

// Each of these is one statement outside the row lock of the journal: guessing passwords holds up no writer.
internal sealed partial class PostgresAccountStore
{
    private static readonly SqlText FindFailures = new("failures_find");
    private static readonly SqlText AddFailures = new("failures_add");
    private static readonly SqlText ReplaceFailures = new("failures_replace");
    private static readonly SqlText ClearFailures = new("failures_clear");
    private static readonly SqlText ForgetFailures = new("failures_forget");
    private static readonly SqlText TrimFailures = new("failures_trim");

    public ValueTask<SignInFailures> FindFailuresAsync(string subject, CancellationToken cancellationToken) => store.QueryAsync(
        async (connection, ct) =>
        {
            await using var command = connection.Command(FindFailures, Statements.Text(subject));
            await using var row = await command.ExecuteReaderAsync(ct);
            return await row.ReadAsync(ct)
                ? new SignInFailures((int)row.GetInt64(0), row.Time(1), row.Time(2), row.GetBoolean(3))
                : SignInFailures.None;
        },
        cancellationToken);

    public ValueTask<bool> TryReplaceFailuresAsync(
        string subject, SignInFailures expected, SignInFailures next, CancellationToken cancellationToken) => store.QueryAsync(
        async (connection, ct) =>
        {
            var isNew = expected == SignInFailures.None;
            await using var command = connection.Command(
                isNew ? AddFailures : ReplaceFailures,
                Statements.Text(subject),
                Statements.Number(next.Count),
                Statements.Time(next.LastAt),
                Statements.Time(next.LockedUntil),
                Statements.Flag(next.HasAccount));
            if (!isNew)
            {
                command.Parameters.Add(Statements.Number(expected.Count));
                command.Parameters.Add(Statements.Time(expected.LastAt));
                command.Parameters.Add(Statements.Time(expected.LockedUntil));
            }
            return await command.ExecuteNonQueryAsync(ct) == 1;
        },
        cancellationToken);

    public async ValueTask ClearFailuresAsync(string subject, CancellationToken cancellationToken) => await store.QueryAsync(
        async (connection, ct) =>
        {
            await using var command = connection.Command(ClearFailures, Statements.Text(subject));
            return await command.ExecuteNonQueryAsync(ct);
        },
        cancellationToken);

    public async ValueTask ForgetFailuresAsync(DateTimeOffset before, int maxWithoutAccount, CancellationToken cancellationToken) =>
        await store.QueryAsync(
            async (connection, ct) =>
            {
                await using var forget = connection.Command(ForgetFailures, Statements.Time(before));
                await forget.ExecuteNonQueryAsync(ct);
                await using var trim = connection.Command(TrimFailures, Statements.Number(maxWithoutAccount));
                return await trim.ExecuteNonQueryAsync(ct);
            },
            cancellationToken);
}
