using System.Net.ServerSentEvents;
using Dunlin.Hosting;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>The hub under test: one node, or two nodes that share a database.</summary>
public sealed class HubNodes : IAsyncDisposable
{
    public const string Path = "/.well-known/mercure";
    public const string Url = "https://hub.example.com" + Path;

    private HubNodes(DunlinTestHost first, DunlinTestHost second) => (First, Second) = (first, second);

    /// <summary>Gets the node that receives publications.</summary>
    public DunlinTestHost First { get; }

    /// <summary>Gets the node that readers connect to; the same one if there is one only.</summary>
    public DunlinTestHost Second { get; }

    public ManualTime Time => First.Time;

    public bool AreTwo => !ReferenceEquals(First, Second);

    public static async Task<HubNodes> StartAsync(
        Action<DunlinBuilder, string> addStore,
        bool two,
        Action<MercureOptions>? configure = null,
        Action<WebApplication>? map = null,
        Action<IServiceCollection>? services = null
    )
    {
        var time = new ManualTime();
        var first = await StartNodeAsync(addStore, time, configure, map, services);
        return new HubNodes(first, two ? await StartNodeAsync(addStore, time, configure, map, services) : first);
    }

    private static Task<DunlinTestHost> StartNodeAsync(
        Action<DunlinBuilder, string> addStore,
        ManualTime time,
        Action<MercureOptions>? configure,
        Action<WebApplication>? map,
        Action<IServiceCollection>? services
    ) =>
        DunlinTestHost.StartAsync(options =>
        {
            options.Time = time;
            options.Services = services;
            options.Dunlin = dunlin =>
            {
                addStore(dunlin, options.Folder);
                dunlin.AddMercure(hub =>
                {
                    hub.Url = Url;
                    hub.Issuers.Add(new MercureIssuer { Issuer = Tokens.Issuer, Secrets = { Tokens.Secret } });
                    configure?.Invoke(hub);
                });
            };
            options.Map = app =>
            {
                app.MapMercure();
                map?.Invoke(app);
            };
        });

    /// <summary>Publishes at the first node.</summary>
    public Task<HttpResponseMessage> PublishAsync(string? token, params (string Name, string Value)[] fields) =>
        SendAsync(
            First,
            new HttpRequestMessage(HttpMethod.Post, Path)
            {
                Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))),
            },
            token
        );

    /// <summary>Publishes with all rights and returns the id.</summary>
    public async Task<string> PublishAsync(params (string Name, string Value)[] fields)
    {
        using var answer = await PublishAsync(Tokens.Publisher(Time), fields);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {text}");
        return text;
    }

    /// <summary>Opens a stream at the second node.</summary>
    public Task<EventStreamReader<SseItem<string>>> OpenAsync(
        string query,
        string? token = null,
        string? lastEventId = null,
        string? cookie = null
    )
    {
        var client = Second.Client();
        if (token is not null)
            client.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        if (cookie is not null)
            client.DefaultRequestHeaders.Add("Cookie", cookie);
        return client.OpenStreamAsync($"{Path}?{query}", static item => item, lastEventId);
    }

    public async Task<HttpResponseMessage> SendAsync(DunlinTestHost node, HttpRequestMessage request, string? token = null)
    {
        var client = node.Client();
        if (token is not null)
            request.Headers.Add("Authorization", $"Bearer {token}");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(60));
    }

    public Task<HttpResponseMessage> GetAsync(string pathAndQuery, string? token = null) =>
        SendAsync(Second, new HttpRequestMessage(HttpMethod.Get, pathAndQuery), token);

    /// <summary>Advances the clock until the nodes know one another, or a condition holds.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition, TimeSpan step, string what)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"Not reached: {what}");
            Time.Advance(step);
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (AreTwo)
            await Second.DisposeAsync();
        await First.DisposeAsync();
    }
}
