using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Postgres.Tests.Support;
using Dunlin.Relational.Accounts;

namespace Dunlin.Postgres.Tests.Accounts;

public sealed class TicketStoreTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private Backend _backend = null!;
    private TicketStore[] _nodes = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _backend = await Backend.NewAsync();
        _nodes = [new(await _backend.OpenAsync()), new(await _backend.OpenAsync())];
    }

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    [Fact]
    public async Task A_ticket_of_one_node_is_taken_at_another_whole_and_once()
    {
        var ticket = new TicketRow("hash", "u1", "Ünal", ["admin", "user"], "s1", true, Noon.AddSeconds(30), Noon.AddHours(1))
        {
            Grants = """{"subscribe":["a/*"]}""",
        };
        await _nodes[0].AddAsync(ticket, Noon, Cancellation);
        var taken = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(i => Task.Run(async () => await _nodes[i % 2].TakeAsync("hash", Noon, Cancellation)))
        );
        var only = Assert.Single(taken, t => t is not null)!;
        Assert.Equal(ticket.Roles, only.Roles);
        Assert.Equal(ticket with { Roles = [] }, only with { Roles = [] });
    }

    [Fact]
    public async Task An_expired_ticket_opens_nothing_and_is_forgotten()
    {
        await _nodes[0].AddAsync(Of("old", "u1"), Noon, Cancellation);
        Assert.Null(await _nodes[1].TakeAsync("old", Noon.AddSeconds(30), Cancellation));
        await _nodes[1].AddAsync(Of("new", "u1") with { ExpiresAt = Noon.AddMinutes(2) }, Noon.AddMinutes(1), Cancellation);
        Assert.Equal(1, await Database.ScalarAsync<long>(_backend.ConnectionString, "SELECT count(*) FROM dunlin_ticket"));
    }

    [Fact]
    public async Task One_user_cannot_fill_the_store_and_does_not_lock_out_others()
    {
        for (var i = 0; i < TicketStore.MaxTicketsPerUser; i++)
            await _nodes[i % 2].AddAsync(Of($"t{i}", "u1"), Noon, Cancellation);
        var refused = await Assert.ThrowsAsync<DunlinException>(async () => await _nodes[0].AddAsync(Of("more", "u1"), Noon, Cancellation));
        Assert.Equal((ErrorCode.TooManyRequests, TimeSpan.FromSeconds(30)), (refused.Code, refused.RetryAfter));
        await _nodes[0].AddAsync(Of("other", "u2"), Noon, Cancellation);
    }

    private static TicketRow Of(string hash, string user) => new(hash, user, "Name", [], null, false, Noon.AddSeconds(30), null);
}
