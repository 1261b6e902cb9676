using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.TestKit;

/// <summary>A receiver of webhooks on a real socket. It answers 200, unless <see cref="Answer"/> answers otherwise.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebhookReceiver(WebApplication app) => _app = app;

    public ConcurrentQueue<Message> All { get; } = [];

    /// <summary>The messages that were answered with 200.</summary>
    public ConcurrentQueue<Message> Accepted { get; } = [];

    /// <summary>The clock of the sender.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    public Func<HttpContext, Message, Task>? Answer { get; set; }

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public string Url => new Uri(Address, "/hook").AbsoluteUri;

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.Run(receiver.ReceiveAsync);
        await app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var message = new Message(
            Clock.GetUtcNow(),
            context.Request.Path,
            await reader.ReadToEndAsync(),
            context.Request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString(), StringComparer.Ordinal)
        );
        All.Enqueue(message);
        if (Answer is { } answer)
            await answer(context, message);
        if (context.Response.StatusCode == (int)HttpStatusCode.OK)
            Accepted.Enqueue(message);
    }

    /// <summary>A received message.</summary>
    internal sealed record Message(DateTimeOffset At, string Path, string Body, Dictionary<string, string> Headers)
    {
        public string Id => Headers["webhook-id"];

        public JsonElement Json => JsonDocument.Parse(Body).RootElement;

        public string Topic => Json.GetProperty("topic").GetString()!;

        public int Number => Json.GetProperty("data").GetInt32();
    }
}
