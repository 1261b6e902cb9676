using System.Net.Http.Json;
using System.Text.Json;

namespace Dunlin.Warranty.Tests;

/// <summary>Resources that can be locked over the engine's own endpoint.</summary>
public sealed class LockNameTests : IAsyncLifetime
{
    private const string IdBob = "lease-id-of-bob",
        IdCarol = "lease-id-of-carol",
        IdAdmin = "lease-id-of-admin";

    private Branch _branch = null!;
    private User _bob = null!,
        _carol = null!,
        _admin = null!;

    public async ValueTask InitializeAsync()
    {
        _branch = await Branch.OpenAsync();
        (_bob, _carol, _admin) = (_branch.As("bob"), _branch.As("carol"), _branch.As("admin"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var user in new[] { _bob, _carol, _admin })
            user.Dispose();
        await _branch.DisposeAsync();
    }

    [Theory]
    [InlineData("warranty/1/05/status")]
    [InlineData("warranty/1/5/")]
    [InlineData("warranty/1/01/status")]
    [InlineData("warranty/1/-3/status")]
    [InlineData("warranty/1/+3/status")]
    [InlineData("warranty/1/3/nosuchfield")]
    [InlineData("warranty/1/3/Status")]
    [InlineData("warranty/1/3/serviceNo")]
    [InlineData("warranty/1/abc/x")]
    [InlineData("warranty/1/3")]
    [InlineData("warranty/1/3/status/x")]
    [InlineData("warranty/01/3/status")]
    [InlineData("warranty/1/99999/status")]
    [InlineData("warranty/1/99999999999999999999/status")]
    [InlineData("warranty/2/3/status")]
    [InlineData("warranty/1")]
    public async Task Only_the_canonical_field_name_can_be_held_or_preempted(string resource)
    {
        var head = _branch.Journal.Head;
        foreach (var (user, id) in new[] { (_bob, IdBob), (_admin, IdAdmin) })
        {
            Assert.InRange(await PutAsync(user, resource, id), 400, 404);
            Assert.InRange(await PostAsync(user, resource + "/take", new { leaseId = id, reason = "why" }), 400, 404);
        }
        Assert.Equal(head, _branch.Journal.Head);
        Assert.Empty((await LeasesAsync()).EnumerateArray());
    }

    [Fact]
    public async Task A_field_held_over_the_engine_endpoint_is_locked_in_the_system()
    {
        Assert.Equal(201, await PutAsync(_bob, "warranty/1/3/status", IdBob));
        await _carol.RefusedAsync(423, "lease_held", "PATCH", "cases/3", new { updates = new { status = "COMPLETED" } });
    }

    [Fact]
    public async Task A_waiter_gets_no_lock_of_a_deleted_or_moved_case()
    {
        (int, string, string, object?)[] ends = [(3, "DELETE", "cases/3", null), (4, "POST", "cases/4/transfer", new { toBranchId = 2 })];
        foreach (var (id, method, path, body) in ends)
        {
            await _bob.LockAsync(id, "status", IdBob);
            Assert.Equal(202, await PutAsync(_carol, $"warranty/1/{id}/status", IdCarol, wait: true));
            await _bob.DoAsync(method, path, body);
            Assert.Empty((await LeasesAsync()).EnumerateArray());
            Assert.Equal(404, await PutAsync(_carol, $"warranty/1/{id}/status", IdCarol, wait: true));
        }
    }

    private static async Task<int> PutAsync(User user, string resource, string leaseId, bool wait = false)
    {
        using var response = await user.Client.PutAsJsonAsync(
            "/dunlin/v1/leases/" + resource,
            new
            {
                leaseId,
                seconds = 30,
                wait,
            }
        );
        return (int)response.StatusCode;
    }

    private static async Task<int> PostAsync(User user, string path, object body)
    {
        using var response = await user.Client.PostAsJsonAsync("/dunlin/v1/leases/" + path, body);
        return (int)response.StatusCode;
    }

    private async Task<JsonElement> LeasesAsync() =>
        (await _admin.Client.GetFromJsonAsync<JsonElement>("/dunlin/v1/leases?prefix=warranty")).GetProperty("leases");
}
