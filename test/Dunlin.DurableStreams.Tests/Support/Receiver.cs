using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;

namespace Dunlin.DurableStreams.Tests.Support;

/// <summary>Receives webhooks on a free port, and answers as the test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Wake> _wakes = Channel.CreateUnbounded<Wake>();
    private readonly ConcurrentQueue<Wake> _all = new();
    private int _received;

    private Receiver(WebApplication app) => _app = app;

    /// <summary>Gets or sets the answer: the status, the body and headers.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = static _ => Task.CompletedTask;

    public string Url => _app.Urls.Single() + "/hook";

    /// <summary>Gets the number of requests so far.</summary>
    public int Received => Volatile.Read(ref _received);

    /// <summary>Gets all webhooks so far.</summary>
    public IReadOnlyCollection<Wake> All => _all;

    /// <summary>Returns the webhook of a request.</summary>
    public static Wake Of(HttpContext context) => (Wake)context.Items[typeof(Wake)]!;

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var receiver = new Receiver(app);
        app.Run(receiver.ServeAsync);
        await app.StartAsync();
        return receiver;
    }

    /// <summary>Answers every webhook with a status and a body.</summary>
    public void AnswerWith(int status, string body = "") =>
        Answer = context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body);
        };

    /// <summary>Returns the next webhook. Advances manual time until there is one.</summary>
    public async Task<Wake> NextAsync(StreamHost host, TimeSpan? step = null)
    {
        Wake? wake = null;
        await Poll.UntilAsync(
            () =>
            {
                if (_wakes.Reader.TryRead(out wake))
                    return true;
                host.Time.Advance(step ?? TimeSpan.Zero);
                return false;
            },
            "a webhook"
        );
        return wake!;
    }

    public async ValueTask DisposeAsync()
    {
        Answer = static _ => Task.CompletedTask;
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var wake = new Wake(body.ToArray(), context.Request.Headers["Webhook-Signature"].ToString(), context.Request.GetDisplayUrl());
        context.Items[typeof(Wake)] = wake;
        _all.Enqueue(wake);
        Interlocked.Increment(ref _received);
        await _wakes.Writer.WriteAsync(wake);
        await Answer(context);
    }
}

/// <summary>A webhook that was received.</summary>
internal sealed record Wake(byte[] Bytes, string Signature, string Url)
{
    public JsonElement Body { get; } = JsonDocument.Parse(Bytes).RootElement.Clone();

    public string Id => Body.GetProperty("wake_id").GetString()!;

    public long Generation => Body.GetProperty("generation").GetInt64();

    public string Token => Body.GetProperty("callback_token").GetString()!;

    public IReadOnlyDictionary<string, string> Tails =>
        Body.GetProperty("streams")
            .EnumerateArray()
            .ToDictionary(entry => entry.GetProperty("path").GetString()!, entry => entry.GetProperty("tail_offset").GetString()!);
}
