using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Dunlin.DurableStreams.Hosting;
using Dunlin.Sqlite;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.DurableStreams.Tests.Support;

/// <summary>An application with streams on SQLite and manual time. A user owns the streams below their name; all may read
/// <c>public</c>.</summary>
public sealed class StreamHost : IAsyncDisposable
{
    private readonly HttpClient _client;

    private StreamHost(DunlinTestHost host) => (Host, _client) = (host, host.Client());

    public DunlinTestHost Host { get; }

    public ManualTime Time => Host.Time;

    public static async Task<StreamHost> StartAsync(
        Action<DurableStreamOptions>? configure = null,
        Action<IServiceCollection>? services = null
    ) =>
        new(
            await DunlinTestHost.StartAsync(options =>
            {
                options.Dunlin = dunlin =>
                    dunlin
                        .AddSqlite(Path.Combine(options.Folder, "streams.db"))
                        .AddAccessPolicy<Owners>("streams")
                        .AddDurableStreams(configure);
                options.Services = services;
                options.Map = static app => app.MapDurableStreams();
            })
        );

    /// <summary>Sends a request as alice, or as another user; an empty name sends none.</summary>
    public async Task<StreamAnswer> SendAsync(
        string method,
        string path,
        object? body = null,
        string user = "alice",
        string? type = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (user.Length > 0)
            request.Headers.Add(TestUsers.Header, user);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body as byte[] ?? Encoding.UTF8.GetBytes((string)body));
            if (type is not "")
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type ?? "text/plain");
        }
        else if (type is not null)
        {
            request.Content = new ByteArrayContent([]);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }
        using var response = await _client.SendAsync(request);
        var fields = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(',', h.Value));
        return new StreamAnswer((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(), fields);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Host.DisposeAsync();
    }

    public sealed class Owners : IAccessPolicy, IPatternAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(topic.IsUnder("streams/public") || topic.IsUnder($"streams/{caller.UserId}"));

        public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) =>
            new(NamePrefix.Covers($"streams/{caller.UserId}", pattern.Prefix));

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(topic.IsUnder($"streams/{caller.UserId}"));
    }
}

/// <summary>An answer about a stream.</summary>
public sealed record StreamAnswer(int Status, byte[] Bytes, IReadOnlyDictionary<string, string> Headers)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public string? this[string name] => Headers.GetValueOrDefault(name);

    public string Next => Headers["Stream-Next-Offset"];

    public StreamAnswer Is(int status)
    {
        Assert.True(Status == status, string.Create(CultureInfo.InvariantCulture, $"{Status} instead of {status}: {Text}"));
        return this;
    }
}
