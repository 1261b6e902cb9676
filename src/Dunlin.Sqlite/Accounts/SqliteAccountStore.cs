using System.Text.Json;
using Dunlin.Accounts;
using Dunlin.Sqlite.Schema;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dunlin.Sqlite.Accounts;

/// <summary>Accounts in the database.</summary>
internal sealed partial class SqliteAccountStore(SqliteStore store) : IAccountStore
{
    private static readonly SqlText FindByName = new("account_find_by_name");
    private static readonly SqlText FindById = new("account_find_by_id");
    private static readonly SqlText List = new("account_list");
    private static readonly SqlText Save = new("account_save");

    public ValueTask<Account?> FindByNameAsync(string username, CancellationToken cancellationToken) =>
        FindAsync(FindByName, Account.NameKey(username), cancellationToken);

    public ValueTask<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        FindAsync(FindById, userId, cancellationToken);

    public async ValueTask<bool> SaveAsync(Account account, CancellationToken cancellationToken) =>
        await store.ChangeAsync(
            session =>
            {
                try
                {
                    var row = session.Database.Prepare(Save)
                        .Bind(1, account.UserId)
                        .Bind(2, Account.NameKey(account.Username))
                        .Bind(3, account.Username)
                        .Bind(4, account.FullName)
                        .Bind(5, account.PasswordHash)
                        .Bind(6, JsonSerializer.Serialize(account.Roles, JsonSerializerOptions.Web))
                        .Bind(7, account.SecurityStamp)
                        .Bind(8, account.Version ?? -1);
                    var saved = row.Step();
                    row.Reset();
                    return saved;
                }
                catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_CONSTRAINT)
                {
                    throw Account.NameTaken(account.Username);
                }
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancellationToken) =>
        store.QueryAsync<IReadOnlyList<Account>>(
            database =>
            {
                var row = database.Prepare(List);
                var accounts = new List<Account>();
                while (row.Step())
                    accounts.Add(Read(row));
                row.Reset();
                return accounts;
            },
            cancellationToken);

    private ValueTask<Account?> FindAsync(SqlText sql, string value, CancellationToken cancellationToken) =>
        store.QueryAsync(
            database =>
            {
                var row = database.Prepare(sql).Bind(1, value);
                var account = row.Step() ? Read(row) : null;
                row.Reset();
                return account;
            },
            cancellationToken);

    private static Account Read(Statement row) => new(
        row.Text(0), row.Text(1), row.Text(2), row.Text(3), JsonSerializer.Deserialize<List<string>>(row.Bytes(4), JsonSerializerOptions.Web)!)
    {
        SecurityStamp = row.Text(5),
        Version = row.Int64(6),
    };
}
