using System.Net.ServerSentEvents;
using System.Text.Json;
using Dunlin.Hosting;
using Dunlin.Inspector.Sampling;
using Dunlin.Journal;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

/// <summary>A host with the inspector. The user <c>admin</c> is an administrator. Nobody may read topics below <c>secret</c>.</summary>
internal sealed class InspectedHost(DunlinTestHost host) : IAsyncDisposable
{
    public const string Base = "/dunlin/inspect/api/";

    public DunlinTestHost Host => host;

    public ManualTime Time => host.Time;

    public Sampler Sampler => host.Get<Sampler>();

    public static async Task<InspectedHost> StartAsync(
        Action<DunlinBuilder>? store = null,
        Action<InspectorOptions>? options = null,
        Action<DunlinBuilder>? engine = null,
        Action<WebApplication>? authentication = null
    ) =>
        new(
            await DunlinTestHost.StartAsync(o =>
            {
                o.Dunlin = builder =>
                {
                    if (store is null)
                        builder.AddInMemory();
                    else
                        store(builder);
                    builder
                        .AddOrigins()
                        .AddAccessPolicy<OpenPolicy>("")
                        .AddAccessPolicy<ClosedPolicy>("secret")
                        .AddAccessPolicy<TeamPolicy>("teams")
                        .AddInspector(options);
                    engine?.Invoke(builder);
                };
                o.Authentication = authentication ?? (static app => app.UseTestUsers());
                o.Map = static app => app.MapDunlinInspector();
            })
        );

    /// <summary>Reads data as the administrator.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var client = host.Client("admin");
        return (await client.SendJsonAsync("GET", Base + path)).Ok();
    }

    public async Task<TestAnswer> SendAsync(string method, string path, object? body = null, string? user = "admin")
    {
        using var client = host.Client(user);
        return await client.SendJsonAsync(method, Base + path, body);
    }

    public Task<EventStreamReader<SseItem<string>>> WatchAsync() => host.OpenAsync(Base + "stream", "admin");

    public async Task PublishAsync(string topic, string type = "test", object? data = null, string? user = null) =>
        await host.Journal.AppendAsync(
            [EventDraft.Of(TopicName.Parse(topic), type, data ?? new { n = 1 }, user is null ? null : new EventOrigin(user))],
            null,
            CancellationToken.None
        );

    /// <summary>Advances the clock by whole intervals until a sample satisfies a condition, and returns it.</summary>
    public async Task<JsonElement> SampleAsync(EventStreamReader<SseItem<string>> stream, Func<JsonElement, bool> isWanted)
    {
        while (true)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            var item = await stream.UntilAsync(one => one.EventType == "sample");
            var sample = JsonElement.Parse(item.Data);
            if (isWanted(sample))
                return sample;
        }
    }

    /// <summary>Waits for a state that another thread reaches. Fails after 30 seconds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var tries = 0; tries < 1_500; tries++)
        {
            if (await condition())
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
        Assert.Fail("The state was not reached within 30 seconds.");
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private sealed class OpenPolicy : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(true);
    }

    private sealed class TeamPolicy : IAccessPolicy, IPatternAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) => new(true);
    }

    private sealed class ClosedPolicy : IAccessPolicy;
}
