using Dunlin.Journal;
using Dunlin.Outbound;

namespace Dunlin.Webhooks;

/// <summary>The rules of addresses of webhooks for topics, and the sender that follows them. Thread-safe.</summary>
internal sealed class WebhookOutbound : IDisposable
{
    private readonly OutboundSender _outbound;

    public WebhookOutbound(WebhookOptions options, StoreClock clock, OutboundLookup? lookup)
    {
        Rules = new OutboundRules(options.Networks);
        _outbound = new OutboundSender(Rules, clock.TimeProvider, lookup);
        Sender = new WebhookSender(_outbound, clock, options.Timeout);
    }

    public OutboundRules Rules { get; }

    public WebhookSender Sender { get; }

    public void Dispose() => _outbound.Dispose();
}
