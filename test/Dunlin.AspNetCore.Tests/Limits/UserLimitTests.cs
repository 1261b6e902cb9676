using Dunlin.Leases;
using Dunlin.Publishing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Limits;

/// <summary>Limits of one user do not affect other users.</summary>
public sealed class UserLimitTests
{
    private const string Events = "/dunlin/v1/events";
    private const string Leases = "/dunlin/v1/leases/";

    [Fact]
    public async Task Default_publish_limit_allows_a_burst_and_then_a_rate()
    {
        await using var host = await EngineHost.StartAsync(Defaults);
        using HttpClient ann = host.Client(),
            admin = host.Client("admin");
        var options = new PublishOptions();
        var burst = $"[{string.Join(',', Enumerable.Repeat("""{"topic":"a","type":"x","data":1}""", options.Burst))}]";
        await DoneAsync(ann.PostAsync(Events, HttpAssert.Json(burst)));
        await LimitedAsync(ann.PostAsync(Events, HttpAssert.Json(One("a"))), options.PerSecond, seconds: 1);
        await DoneAsync(admin.PostAsync(Events, HttpAssert.Json(burst)));
        await DoneAsync(admin.PostAsync(Events, HttpAssert.Json(burst)));
        await host.PublishAsync("a", 1, "bob");
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await DoneAsync(ann.PostAsync(Events, HttpAssert.Json($"[{string.Join(',', Enumerable.Repeat(One("a"), options.PerSecond))}]")));
        await LimitedAsync(ann.PostAsync(Events, HttpAssert.Json(One("a"))), options.PerSecond, seconds: 1);
    }

    [Fact]
    public async Task A_pause_allows_one_burst_again_and_no_more()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<PublishOptions>(o => (o.PerSecond, o.Burst) = (10, 10))
        );
        using var ann = host.Client();
        var burst = $"[{string.Join(',', Enumerable.Repeat(One("a"), 10))}]";
        for (var i = 0; i < 3; i++)
        {
            await DoneAsync(ann.PostAsync(Events, HttpAssert.Json(burst)));
            await LimitedAsync(ann.PostAsync(Events, HttpAssert.Json(One("a"))), 10, seconds: 1);
            host.Time.Advance(TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public async Task New_topics_are_limited_per_hour_and_known_ones_are_not()
    {
        await using var host = await EngineHost.StartAsync(services => services.Configure<PublishOptions>(o => o.TopicsPerHour = 3));
        using HttpClient ann = host.Client(),
            admin = host.Client("admin");
        foreach (var topic in new[] { "a", "b", "c", "a", "c" })
            await host.PublishAsync(topic, 1);
        await LimitedAsync(ann.PostAsync(Events, HttpAssert.Json(One("d"))), 3, seconds: 3_600);
        await LimitedAsync(ann.PostAsync(Events, HttpAssert.Json($"[{One("a")},{One("d")}]")), 3, seconds: 3_600);
        await DoneAsync(ann.PostAsync(Events, HttpAssert.Json("""{"topic":"d","type":"x","data":1,"transient":true}""")));
        await host.PublishAsync("a", 2);
        await host.PublishAsync("d", 2, "bob");
        for (var i = 0; i < 5; i++)
            await DoneAsync(admin.PostAsync(Events, HttpAssert.Json(One($"admin/{i}"))));
        host.Time.Advance(TimeSpan.FromHours(1));
        await host.PublishAsync("d", 3);
    }

    [Fact]
    public async Task Idempotency_keys_are_limited_per_hour()
    {
        await using var host = await EngineHost.StartAsync(services => services.Configure<PublishOptions>(o => o.KeysPerHour = 2));
        using var ann = host.Client();
        Task<HttpResponseMessage> Keyed(int key) =>
            ann.SendAsync(HttpMethod.Post, Events, content: HttpAssert.Json(One("a")), headers: ("Idempotency-Key", $"k{key}"));
        await DoneAsync(Keyed(1));
        await DoneAsync(Keyed(2));
        await LimitedAsync(Keyed(3), 2, seconds: 1_800);
        await host.PublishAsync("a", 1);
        host.Time.Advance(TimeSpan.FromMinutes(30));
        await DoneAsync(Keyed(3));
    }

    [Fact]
    public async Task Held_leases_are_limited_and_released_or_expired_ones_do_not_count()
    {
        await using var host = await EngineHost.StartAsync(services => services.Configure<LeaseOptions>(o => o.MaxPerUser = 2));
        using HttpClient ann = host.Client(),
            bob = host.Client("bob");
        await DoneAsync(AcquireAsync(ann, "f1", seconds: 30));
        await DoneAsync(AcquireAsync(ann, "f2", seconds: 60));
        await LimitedAsync(AcquireAsync(ann, "f3"), 2, seconds: null);
        await DoneAsync(AcquireAsync(ann, "f2", seconds: 60)); // already held
        await DoneAsync(AcquireAsync(bob, "f3"));
        await DoneAsync(ann.SendAsync(HttpMethod.Delete, Leases + "f1", headers: ("Dunlin-Lease", "lease-id-of-f1")));
        await DoneAsync(AcquireAsync(ann, "f4", seconds: 30));
        await LimitedAsync(AcquireAsync(ann, "f5"), 2, seconds: null);
        host.Time.Advance(TimeSpan.FromSeconds(31));
        await DoneAsync(AcquireAsync(ann, "f5"));
    }

    [Fact]
    public async Task Lease_requests_are_rate_limited_and_releases_are_not()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<LeaseOptions>(o => (o.RequestsPerSecond, o.RequestBurst) = (1, 2))
        );
        using HttpClient ann = host.Client(),
            bob = host.Client("bob");
        await DoneAsync(AcquireAsync(ann, "f1"));
        await DoneAsync(AcquireAsync(ann, "f2"));
        await LimitedAsync(AcquireAsync(ann, "f3"), 1, seconds: 1);
        await DoneAsync(AcquireAsync(bob, "f3"));
        for (var i = 0; i < 5; i++)
            await DoneAsync(ann.SendAsync(HttpMethod.Delete, Leases + "f1", headers: ("Dunlin-Lease", "lease-id-of-f1")));
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await DoneAsync(AcquireAsync(ann, "f1"));
    }

    private static void Defaults(IServiceCollection services)
    {
        services.Configure<PublishOptions>(o =>
        {
            var known = new PublishOptions();
            (o.PerSecond, o.TopicsPerHour, o.KeysPerHour) = (known.PerSecond, known.TopicsPerHour, known.KeysPerHour);
        });
    }

    private static string One(string topic) => $$"""{"topic":"{{topic}}","type":"x","data":1}""";

    private static Task<HttpResponseMessage> AcquireAsync(HttpClient client, string resource, int seconds = 30) =>
        client.PutAsync(Leases + resource, HttpAssert.Json($$"""{"leaseId":"lease-id-of-{{resource}}","seconds":{{seconds}}}"""));

    private static async Task DoneAsync(Task<HttpResponseMessage> sent)
    {
        using var response = await sent;
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task LimitedAsync(Task<HttpResponseMessage> sent, int limit, int? seconds)
    {
        using var response = await sent;
        var problem = await HttpAssert.ProblemAsync(response, 429, "too_many_requests");
        Assert.Equal(limit, problem.GetProperty("limit").GetDouble());
        Assert.Equal(
            seconds is null ? null : $"{seconds}",
            response.Headers.TryGetValues("Retry-After", out var wait) ? wait.Single() : null
        );
    }
}
