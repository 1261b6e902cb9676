using System.Net;
using Dunlin.Publishing;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Yjs.Tests;

/// <summary>The publish limits of a user count updates and snapshots.</summary>
public sealed class UpdateRateTests
{
    [Fact]
    public async Task Updates_over_the_rate_are_refused_until_the_wait_is_over()
    {
        await using var host = await DunlinTestHost.StartAsync(options =>
        {
            options.Dunlin = dunlin => dunlin.AddInMemory().AddYjs().AddAccessPolicy<Everybody>("notes");
            options.Services = services => services.Configure<PublishOptions>(o => (o.PerSecond, o.Burst) = (1, 2));
            options.Map = app => app.MapYjs("/api/yjs");
        });
        using HttpClient ann = host.Client("ann"),
            bob = host.Client("bob");
        await IsAsync(HttpStatusCode.NoContent, ann, HttpMethod.Post, "");
        await IsAsync(HttpStatusCode.NoContent, ann, HttpMethod.Post, "");
        await IsAsync(HttpStatusCode.TooManyRequests, ann, HttpMethod.Post, "");
        await IsAsync(HttpStatusCode.TooManyRequests, ann, HttpMethod.Put, "?through=1");
        await IsAsync(HttpStatusCode.NoContent, bob, HttpMethod.Post, "");
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await IsAsync(HttpStatusCode.NoContent, ann, HttpMethod.Put, "?through=1");
    }

    private static async Task IsAsync(HttpStatusCode status, HttpClient client, HttpMethod method, string query)
    {
        using var request = new HttpRequestMessage(method, $"/api/yjs/notes/1{query}") { Content = new ByteArrayContent([1, 1]) };
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(status == HttpStatusCode.TooManyRequests ? TimeSpan.FromSeconds(1) : null, answer.Headers.RetryAfter?.Delta);
    }

    private sealed class Everybody : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
    }
}
