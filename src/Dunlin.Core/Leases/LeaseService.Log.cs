using Dunlin.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Leases;

public sealed partial class LeaseService
{
    [LoggerMessage(1100, LogLevel.Warning, "User {UserId} preempted the lease of {Resource} with a grace of {GraceSeconds} s.")]
    private static partial void LogPreempted(ILogger logger, PeerText userId, PeerText resource, double graceSeconds);

    [LoggerMessage(
        1101,
        LogLevel.Warning,
        "Ending the expired lease of {Resource} failed; retrying in about 2 s. Waiters get the lease late."
    )]
    private static partial void LogSettleFailed(ILogger logger, Exception error, PeerText resource);
}
