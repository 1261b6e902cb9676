using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Journal;
using Dunlin.Postgres.Schema;
using Npgsql;

namespace Dunlin.Postgres.Accounts;

/// <summary>Accounts in the database.</summary>
internal sealed partial class PostgresAccountStore(PostgresStore store) : IAccountStore
{
    private static readonly SqlText FindByName = new("account_find_by_name");
    private static readonly SqlText FindById = new("account_find_by_id");
    private static readonly SqlText List = new("account_list");
    private static readonly SqlText Save = new("account_save");

    public ValueTask<Account?> FindByNameAsync(string username, CancellationToken cancellationToken) =>
        FindAsync(FindByName, Account.NameKey(username), cancellationToken);

    public ValueTask<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        FindAsync(FindById, userId, cancellationToken);

    public ValueTask<bool> SaveAsync(Account account, CancellationToken cancellationToken) => store.WriteAsync(
        async (unit, ct) =>
        {
            await using var command = ((NpgsqlConnection)unit.Connection).Command(
                Save,
                Statements.Text(account.UserId),
                Statements.Text(Account.NameKey(account.Username)),
                Statements.Text(account.Username),
                Statements.Text(account.FullName),
                Statements.Text(account.PasswordHash),
                Statements.Text(JsonSerializer.Serialize(account.Roles, JsonSerializerOptions.Web)),
                Statements.Text(account.SecurityStamp),
                Statements.Number(account.Version ?? -1));
            try
            {
                var replaced = await command.ExecuteScalarAsync(ct);
                if (replaced is true)
                    await unit.RightsChangedAsync(account.UserId, ct);
                return replaced is not null;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                throw Account.NameTaken(account.Username);
            }
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancellationToken) => store.QueryAsync<IReadOnlyList<Account>>(
        async (connection, ct) =>
        {
            await using var command = connection.Command(List);
            await using var row = await command.ExecuteReaderAsync(ct);
            var accounts = new List<Account>();
            while (await row.ReadAsync(ct))
                accounts.Add(Read(row));
            return accounts;
        },
        cancellationToken);

    private async ValueTask<Account?> FindAsync(SqlText sql, string value, CancellationToken cancellationToken)
    {
        // No text in the database holds NUL: whoever asks for one finds nothing.
        if (value.Contains('\0', StringComparison.Ordinal))
            return null;
        return await store.QueryAsync(
            async (connection, ct) =>
            {
                await using var command = connection.Command(sql, Statements.Text(value));
                await using var row = await command.ExecuteReaderAsync(ct);
                return await row.ReadAsync(ct) ? Read(row) : null;
            },
            cancellationToken);
    }

    private static Account Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), JsonSerializer.Deserialize<List<string>>(row.GetString(4), JsonSerializerOptions.Web)!)
    {
        SecurityStamp = row.GetString(5),
        Version = row.GetInt64(6),
    };
}
