using Dunlin.TestKit;

namespace Dunlin.Server.Tests.Support;

/// <summary>A server with webhooks and short retries, one without, and a receiver, for all tests of a class.</summary>
public sealed class WebhookServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    internal TestServer Plain { get; private set; } = null!;

    /// <summary>Gets the receiver. It answers 500 at <c>/fail</c>, and 503 at <c>/busy</c> while <see cref="IsBusy"/> is true.</summary>
    internal WebhookReceiver Receiver { get; private set; } = null!;

    internal bool IsBusy { get; set; }

    public async ValueTask InitializeAsync()
    {
        Receiver = await WebhookReceiver.StartAsync();
        Receiver.Answer = (context, message) =>
        {
            context.Response.StatusCode = message.Path switch
            {
                "/fail" => 500,
                "/busy" when IsBusy => 503,
                _ => 200,
            };
            return Task.CompletedTask;
        };
        Server = await TestServer.StartAsync(
            ("Webhooks:Enabled", "true"),
            ("Webhooks:Networks:0", "127.0.0.0/8"),
            ("Webhooks:RetryDelays:0", "00:00:00.001"),
            ("Webhooks:PollInterval", "00:00:00.050")
        );
        Plain = await TestServer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Plain.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}
