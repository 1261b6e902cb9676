using Dunlin.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Hooks;

/// <summary>Log messages of hooks. They never contain a secret, a signature or a body.</summary>
internal static partial class HookLog
{
    [LoggerMessage(4060, LogLevel.Debug, "Hook {Hook} refused a request: its signature is {Fault}.")]
    public static partial void SignatureRefused(ILogger logger, PeerText hook, PeerText fault);

    [LoggerMessage(
        4061,
        LogLevel.Warning,
        "Hook {Hook} refused a signed request: {Reason} Correct the sender, or the options of the hook. The sender repeats the request."
    )]
    public static partial void ContentRefused(ILogger logger, PeerText hook, PeerText reason);

    [LoggerMessage(4062, LogLevel.Information, "Hook {Hook} ignored a repeated request with a known id and other content.")]
    public static partial void Changed(ILogger logger, PeerText hook);
}
