using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

public sealed class RevokeTests
{
    [Fact]
    public async Task Revoking_a_user_ends_the_streams_of_that_user()
    {
        await using var host = await InspectedHost.StartAsync(engine: builder => builder.AddRevocations());
        await using var bob = await host.Host.OpenAsync("/dunlin/v1/events?topic=a", "bob");
        await using var eve = await host.Host.OpenAsync("/dunlin/v1/events?topic=a", "eve");
        await bob.NextAsync();
        await eve.NextAsync();
        (await host.SendAsync("POST", "revoke", new { userId = "bob" })).Ok();
        await bob.Ended;
        Assert.True(eve.IsOpen);
        var closed = (await host.GetAsync("connections?state=closed")).GetProperty("connections").EnumerateArray().Single();
        Assert.Equal("signedOut", closed.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task An_administrator_cannot_end_the_own_access_by_mistake()
    {
        await using var host = await InspectedHost.StartAsync(engine: builder => builder.AddRevocations());
        (await host.SendAsync("POST", "revoke", new { userId = "admin" })).Is(409, "conflict");
    }

    [Fact]
    public async Task A_server_without_revocations_says_what_to_add()
    {
        await using var host = await InspectedHost.StartAsync();
        var answer = (await host.SendAsync("POST", "revoke", new { userId = "bob" })).Is(409, "conflict");
        Assert.Contains("AddRevocations()", answer.Member("detail"), StringComparison.Ordinal);
    }
}
