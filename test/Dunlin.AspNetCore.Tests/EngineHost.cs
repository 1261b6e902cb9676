using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Security.Claims;
using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Publishing;
using Dunlin.TestKit;
using Dunlin.Topics;
using Dunlin.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.AspNetCore.Tests;

/// <summary>
/// The engine behind a real Kestrel, in memory and on manual time. The header <c>X-User</c> (<c>name</c> or <c>name:session</c>) names the
/// caller, in place of an authentication scheme.
/// </summary>
internal sealed class EngineHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DunlinTestHost _host;

    private EngineHost(DunlinTestHost host) => _host = host;

    public ManualTime Time => _host.Time;

    public TestLog Log => _host.Log;

    public Uri Address => _host.Address;

    public IServiceProvider Services => _host.Services;

    public EventFanout Fanout => _host.Get<EventFanout>();

    public IJournal Journal => _host.Journal;

    /// <summary>Names and patterns that the policy refuses, compared as whole strings.</summary>
    public HashSet<string> Refused => _host.Get<TestPolicy>().Refused;

    public static async Task<EngineHost> StartAsync(
        Action<IServiceCollection>? configure = null,
        Action<DunlinBuilder>? engine = null,
        Action<WebApplication>? map = null,
        Action<KestrelServerOptions>? listen = null
    ) =>
        new(
            await DunlinTestHost.StartAsync(options =>
            {
                options.LogLevel = LogLevel.Trace;
                options.Dunlin = dunlin =>
                {
                    dunlin.Services.AddSingleton<TestPolicy>();
                    dunlin.AddInMemory().AddAccessPolicy<TestPolicy>("");
                    engine?.Invoke(dunlin);
                };
                (options.Services, options.Map, options.Listen) = (configure, map, listen);
            })
        );

    public HttpClient Client(string? user = "ann") => _host.Client(user);

    public Task<EventStreamReader<SseItem<string>>> OpenAsync(
        string pathAndQuery,
        string? user = "ann",
        string? lastEventId = null,
        string? device = null
    ) => _host.OpenAsync(pathAndQuery, user, lastEventId, device);

    /// <summary>Opens a stream with a form.</summary>
    public Task<EventStreamReader<SseItem<string>>> SubscribeAsync(
        (string Name, string Value)[] fields,
        string query = "",
        string? user = "ann"
    ) =>
        Client(user)
            .OpenStreamAsync(
                new HttpRequestMessage(HttpMethod.Post, "/dunlin/v1/events/subscribe" + query)
                {
                    Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))),
                },
                static item => item
            );

    public async Task<string> PublishAsync(string topic, object? data, string user = "ann", string type = "e")
    {
        using var client = Client(user);
        using var response = await client.PostAsJsonAsync(
            "/dunlin/v1/events",
            new
            {
                topic,
                type,
                data,
            }
        );
        var json = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(response.IsSuccessStatusCode, json.ToString());
        return json.GetProperty("positions")[0].GetString()!;
    }

    /// <summary>Waits until the only stream or poll is live.</summary>
    public Task LiveAsync() => UntilAsync(() => Fanout.All() is [{ State: EventStreamState.Live }]);

    /// <summary>Waits for a state that no event announces.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(Patience, TimeProvider.System);
        while (!condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, late.Token);
    }

    public Task StopAsync() => _host.StopAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    internal sealed class TestPolicy : IAccessPolicy, IPatternAccessPolicy
    {
        public HashSet<string> Refused { get; } = new(StringComparer.Ordinal);

        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(!Refused.Contains(topic.Value));

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(!Refused.Contains(topic.Value));

        public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
            new(!Refused.Contains(resource.Value));

        public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) =>
            new(!Refused.Contains(pattern.Text));
    }
}

/// <summary>Waits for events of a stream.</summary>
internal static class EventReaders
{
    public static Task<SseItem<string>> UntilAsync(this EventStreamReader<SseItem<string>> reader, string type) =>
        reader.UntilAsync(item => item.EventType == type);
}
