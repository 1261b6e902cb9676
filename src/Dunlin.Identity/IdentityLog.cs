using Dunlin.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Identity;

/// <summary>Log messages of sign-in. They never contain a password, token, cookie or key.</summary>
internal static partial class IdentityLog
{
    [LoggerMessage(4020, LogLevel.Information, "User {UserId} signed in; session {SessionId}.")]
    public static partial void SignedIn(ILogger logger, PeerText userId, string sessionId);

    [LoggerMessage(4021, LogLevel.Information, "A sign-in failed from {Address}.")]
    public static partial void SignInFailed(ILogger logger, string address);

    [LoggerMessage(4022, LogLevel.Warning, "Sign-ins from {Address} are refused for {Seconds} s after repeated failures.")]
    public static partial void SignInSlowed(ILogger logger, string address, long seconds);

    [LoggerMessage(4023, LogLevel.Information, "Session {SessionId} of user {UserId} ended: {Reason}.")]
    public static partial void SessionEnded(ILogger logger, PeerText sessionId, PeerText userId, PeerText reason);
}
