using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Logging;

namespace Dunlin.Webhooks;

/// <summary>What all endpoints of a node share. Thread-safe.</summary>
internal sealed record WebhookNode(
    IStore Store,
    StoreClock Clock,
    WebhookSender Sender,
    WebhookInstruments Instruments,
    WebhookOptions Options,
    ILogger Logger
)
{
    /// <summary>Gets the signal that the worker looks at the endpoints at once.</summary>
    public WakeSignal Changed { get; } = new();
}
