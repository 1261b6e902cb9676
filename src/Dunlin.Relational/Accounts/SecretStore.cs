using Dunlin.Accounts;

namespace Dunlin.Relational.Accounts;

/// <summary>Stores secrets in a database that several nodes share. Thread-safe.</summary>
internal sealed class SecretStore(RelationalStore store) : ISecretStore
{
    public async ValueTask<string> GetOrAddAsync(string name, string made, CancellationToken cancellationToken) =>
        (
            await store.ChangeAsync(
                async (session, ct) =>
                {
                    await session.Call("secret_add").Text(name).Text(made).RunAsync(ct);
                    // A separate statement also sees a secret that another node has inserted concurrently.
                    return await session.Call("secret_find").Text(name).FindAsync(static row => row.Text(0), ct);
                },
                cancellationToken
            )
        )!;
}
