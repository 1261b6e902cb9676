using Dunlin.Accounts;

namespace Dunlin.Relational.Accounts;

/// <summary>Secrets in a database that several nodes share. Safe for concurrent use.</summary>
internal sealed class SecretStore(RelationalStore store) : ISecretStore
{
    public async ValueTask<string> GetOrAddAsync(string name, string made, CancellationToken cancellationToken) =>
        (
            await store.ChangeAsync(
                async (session, ct) =>
                {
                    await session.Call("secret_add").Text(name).Text(made).RunAsync(ct);
                    // A statement of its own sees the secret that another node inserted meanwhile.
                    return await session.Call("secret_find").Text(name).FindAsync(static row => row.Text(0), ct);
                },
                cancellationToken
            )
        )!;
}
