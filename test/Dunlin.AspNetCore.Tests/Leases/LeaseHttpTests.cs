using System.Net;
using System.Text.Json;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Leases;

public sealed class LeaseHttpTests
{
    private const string Base = "/dunlin/v1/leases/";
    private const string IdA = "lease-id-of-ann",
        IdB = "lease-id-of-bob";

    [Fact]
    public async Task Acquire_hold_renew_and_release_return_the_documented_statuses()
    {
        await using var host = await EngineHost.StartAsync();
        using HttpClient ann = host.Client("ann:s1"),
            bob = host.Client("bob:s2");
        var (status, grant) = await SendAsync(ann, HttpMethod.Put, "files/1/x", new { leaseId = IdA, seconds = 60 });
        Assert.Equal(201, status);
        Assert.Equal(
            (IdA, "held", 60, "ann"),
            (
                Text(grant, "leaseId"),
                Text(grant, "state"),
                grant.GetProperty("seconds").GetInt32(),
                Text(grant.GetProperty("owner"), "userId")
            )
        );
        foreach (var member in new[] { "fence", "acquiredAt", "expiresAt", "serverNow", "queue" })
            Assert.True(grant.TryGetProperty(member, out _), member);
        var (again, same) = await SendAsync(ann, HttpMethod.Put, "files%2F1%2Fx", new { leaseId = IdA, seconds = 60 });
        Assert.Equal((200, grant.GetProperty("fence").GetInt64()), (again, same.GetProperty("fence").GetInt64()));

        using var held = await bob.SendAsync(Request(HttpMethod.Put, "files/1/x", new { leaseId = IdB }));
        var problem = await HttpAssert.ProblemAsync(held, 423, "lease_held");
        Assert.Equal("ANN", Text(problem.GetProperty("holder"), "name"));
        Assert.Equal(Text(grant, "expiresAt"), Text(problem, "expiresAt"));
        Assert.DoesNotContain(IdA, problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s1", problem.ToString(), StringComparison.Ordinal);

        var (queued, place) = await SendAsync(bob, HttpMethod.Put, "files/1/x", new { leaseId = IdB, wait = true });
        Assert.Equal((202, 1), (queued, place.GetProperty("position").GetInt32()));
        Assert.False(place.TryGetProperty("leaseId", out _));
        host.Time.Advance(TimeSpan.FromSeconds(10));
        var (renewed, later) = await SendAsync(
            ann,
            HttpMethod.Post,
            "files/1/x/renew",
            new { leaseId = IdA, fence = grant.GetProperty("fence").GetInt64() }
        );
        Assert.Equal(200, renewed);
        Assert.Equal(grant.GetProperty("expiresAt").GetDateTimeOffset().AddSeconds(10), later.GetProperty("expiresAt").GetDateTimeOffset());

        var list = JsonDocument.Parse(await bob.GetStringAsync("/dunlin/v1/leases?prefix=files/1")).RootElement;
        Assert.Equal("files/1/x", Text(list.GetProperty("leases")[0], "resource"));
        Assert.DoesNotContain(IdA, list.ToString(), StringComparison.Ordinal);

        using var release = Request(HttpMethod.Delete, "files/1/x", null);
        release.Headers.Add("Dunlin-Lease", IdA);
        Assert.Equal(HttpStatusCode.NoContent, (await ann.SendAsync(release)).StatusCode);
        var (granted, mine) = await SendAsync(bob, HttpMethod.Put, "files/1/x", new { leaseId = IdB });
        Assert.Equal(200, granted);
        Assert.True(mine.GetProperty("fence").GetInt64() > grant.GetProperty("fence").GetInt64());

        using var late = await ann.SendAsync(
            Request(HttpMethod.Post, "files/1/x/renew", new { leaseId = IdA, fence = grant.GetProperty("fence").GetInt64() })
        );
        var lost = await HttpAssert.ProblemAsync(late, 409, "lease_lost");
        Assert.Equal(("released", "BOB"), (Text(lost, "reason"), Text(lost.GetProperty("holder"), "name")));
    }

    [Fact]
    public async Task Hand_off_and_preemption_follow_the_contract_and_need_permission()
    {
        await using var host = await EngineHost.StartAsync();
        using HttpClient ann = host.Client("ann:s1"),
            bob = host.Client("bob:s2"),
            admin = host.Client("admin:s3");
        var (_, grant) = await SendAsync(ann, HttpMethod.Put, "f", new { leaseId = IdA });
        var fence = grant.GetProperty("fence").GetInt64();
        using var nobody = await ann.SendAsync(Request(HttpMethod.Post, "f/handoff", new { leaseId = IdA, fence }));
        await HttpAssert.ProblemAsync(nobody, 409, "conflict");
        await SendAsync(bob, HttpMethod.Put, "f", new { leaseId = IdB, wait = true });
        var (status, after) = await SendAsync(
            ann,
            HttpMethod.Post,
            "f/handoff",
            new
            {
                leaseId = IdA,
                fence,
                to = "bob",
            }
        );
        Assert.Equal((200, "bob"), (status, Text(after.GetProperty("owner"), "userId")));
        Assert.False(after.TryGetProperty("leaseId", out _));
        using var refused = await ann.SendAsync(Request(HttpMethod.Post, "f/take", new { leaseId = IdA, reason = "mine" }));
        await HttpAssert.ProblemAsync(refused, 403, "forbidden");
        var (taken, _) = await SendAsync(
            admin,
            HttpMethod.Post,
            "f/take",
            new
            {
                leaseId = "lease-id-of-admin",
                reason = "urgent",
                graceSeconds = 0,
            }
        );
        Assert.Equal(201, taken);
        using var lost = await bob.SendAsync(
            Request(HttpMethod.Post, "f/renew", new { leaseId = IdB, fence = after.GetProperty("fence").GetInt64() })
        );
        Assert.Equal("taken", Text(await HttpAssert.ProblemAsync(lost, 409, "lease_lost"), "reason"));
        Assert.Contains(host.Log.Lines, line => line.Contains("admin preempted the lease of f", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ending_a_session_releases_no_lease_of_a_user_with_an_equal_session_id()
    {
        await using var host = await EngineHost.StartAsync();
        using HttpClient ann = host.Client("ann:1"),
            bob = host.Client("bob:1");
        await using var watcher = await host.OpenAsync("/dunlin/v1/events?topic=leases/files");
        await SendAsync(ann, HttpMethod.Put, "files/1", new { leaseId = IdA });
        await SendAsync(bob, HttpMethod.Put, "files/2", new { leaseId = IdB });
        host.Services.GetRequiredService<AccessChanges>().SessionEnded("bob", "1", "signed_out");
        Assert.Contains("files/2", (await watcher.UntilAsync("lease.released")).Data, StringComparison.Ordinal);
        var list = JsonDocument.Parse(await ann.GetStringAsync("/dunlin/v1/leases?prefix=files")).RootElement;
        Assert.Equal("files/1", Text(list.GetProperty("leases").EnumerateArray().Single(), "resource"));
    }

    [Theory]
    [InlineData("PUT", "f", "{}", 400, "invalid_field", "leaseId")]
    [InlineData("PUT", "f", """{"leaseId":"short"}""", 400, "invalid_field", "leaseId")]
    [InlineData("PUT", "f", """{"leaseId":"has a space in it"}""", 400, "invalid_field", "leaseId")]
    [InlineData("PUT", "f", """{"leaseId":"lease-id-of-ann","seconds":0}""", 400, "invalid_field", "seconds")]
    [InlineData("PUT", "f", """{"leaseId":"lease-id-of-ann","seconds":99999}""", 400, "invalid_field", "seconds")]
    [InlineData("PUT", "f", """{"leaseId":"lease-id-of-ann","seconds":"x"}""", 400, "invalid_field", "seconds")]
    [InlineData("PUT", "f", """{"leaseId":"lease-id-of-ann","owner":"bob"}""", 400, "unknown_field", "owner")]
    [InlineData("PUT", "f%20g", """{"leaseId":"lease-id-of-ann"}""", 400, "invalid_resource", "resource")]
    [InlineData("PUT", "secret", """{"leaseId":"lease-id-of-ann"}""", 403, "forbidden", "resource")]
    [InlineData("POST", "f/renew", """{"leaseId":"lease-id-of-ann","fence":1}""", 409, "lease_lost", null)]
    [InlineData("POST", "f/renew", """{"leaseId":"lease-id-of-ann"}""", 400, "invalid_field", "fence")]
    [InlineData("POST", "f/steal", "{}", 404, "not_found", null)]
    [InlineData("POST", "f/take", """{"leaseId":"lease-id-of-ann","reason":""}""", 400, "invalid_field", "reason")]
    [InlineData("POST", "f/take", """{"leaseId":"lease-id-of-ann","reason":"x","graceSeconds":-1}""", 400, "invalid_field", "graceSeconds")]
    [InlineData("DELETE", "f", null, 400, "invalid_field", "leaseId")]
    public async Task An_invalid_request_names_its_field_and_changes_nothing(
        string method,
        string path,
        string? body,
        int status,
        string code,
        string? field
    )
    {
        await using var host = await EngineHost.StartAsync();
        host.Refused.Add("secret");
        using var client = host.Client("admin");
        using var request = new HttpRequestMessage(new HttpMethod(method), Base + path)
        {
            Content = body is null ? null : HttpAssert.Json(body),
        };
        using var response = await client.SendAsync(request);
        var problem = await HttpAssert.ProblemAsync(response, status, code);
        if (field is not null)
            Assert.Equal(field, Text(problem, "field"));
        Assert.Equal(0, host.Journal.Head.Offset);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, object? body) =>
        new(method, Base + path)
        {
            Content = body is null ? null : HttpAssert.Json(JsonSerializer.Serialize(body, JsonSerializerOptions.Web)),
        };

    private static async Task<(int Status, JsonElement Body)> SendAsync(HttpClient client, HttpMethod method, string path, object body)
    {
        using var response = await client.SendAsync(Request(method, path, body));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return ((int)response.StatusCode, JsonDocument.Parse(text).RootElement.Clone());
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
