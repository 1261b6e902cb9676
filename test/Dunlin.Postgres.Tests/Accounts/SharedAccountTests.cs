using Dunlin.Accounts;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Accounts;
using Dunlin.Topics;

namespace Dunlin.Postgres.Tests.Accounts;

/// <summary>What the other nodes hear of accounts and sessions, in the transaction that changes them.</summary>
public sealed class SharedAccountTests : IAsyncLifetime
{
    private Backend _backend = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _backend = await Backend.NewAsync();

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task G4_A_replaced_account_is_announced_with_it_and_a_new_one_is_not()
    {
        var store = await _backend.OpenAsync();
        var accounts = new AccountStore(store);
        var account = new AccountRow("u1", "alice", "Alice", "h", ["admin"]);
        await accounts.SaveAsync(account, Cancellation);
        Assert.Empty(await Backend.ReadAllAsync(store));
        await accounts.SaveAsync(account with { Roles = [] }, Cancellation);
        Assert.Equal("rights.changed", Assert.Single(await Backend.ReadAllAsync(store)).Type);
    }

    [Fact]
    public async Task G4_A_session_that_is_removed_is_announced_with_it_once()
    {
        var store = await _backend.OpenAsync();
        var sessions = new SessionStore(store);
        await sessions.AddAsync(new SessionRow("s1", "u1", "h", DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, ""), Cancellation);
        for (var i = 0; i < 2; i++)
            await sessions.RemoveAsync(new EndedSession("u1", "s1", "signed_out"), Cancellation);
        Assert.Equal("session.ended", Assert.Single(await Backend.ReadAllAsync(store)).Type);
    }
}
