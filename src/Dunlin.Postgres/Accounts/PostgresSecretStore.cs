using Dunlin.Accounts;
using Dunlin.Postgres.Schema;

namespace Dunlin.Postgres.Accounts;

/// <summary>Secrets in the database, shared by all nodes.</summary>
internal sealed class PostgresSecretStore(PostgresStore store) : ISecretStore
{
    private static readonly SqlText Add = new("secret_add");
    private static readonly SqlText Find = new("secret_find");

    public ValueTask<string> GetOrAddAsync(string name, string made, CancellationToken cancellationToken) => store.QueryAsync(
        async (connection, ct) =>
        {
            await using var add = connection.Command(Add, Statements.Text(name), Statements.Text(made));
            await add.ExecuteNonQueryAsync(ct);
            // A statement of its own: it sees what another node has put there meanwhile.
            await using var find = connection.Command(Find, Statements.Text(name));
            return (string)(await find.ExecuteScalarAsync(ct))!;
        },
        cancellationToken);
}
