using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Accounts;

namespace Dunlin.Postgres.Tests.Accounts;

public sealed class SecretStoreTests
{
    [Fact]
    public async Task Nodes_that_start_together_agree_on_one_secret()
    {
        await using var backend = await Backend.NewAsync();
        SecretStore[] nodes = [new(await backend.OpenAsync()), new(await backend.OpenAsync())];
        var secrets = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(i =>
                    Task.Run(async () => await nodes[i % 2].GetOrAddAsync("key", $"made by {i}", TestContext.Current.CancellationToken))
                )
        );
        Assert.Single(secrets.Distinct());
        Assert.Equal("another", await nodes[0].GetOrAddAsync("other", "another", TestContext.Current.CancellationToken));
    }
}
