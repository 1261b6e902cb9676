using Dunlin.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Security;

/// <summary>Log messages of security. They never contain a password, token, cookie, ticket or key.</summary>
internal static partial class SecurityLog
{
    [LoggerMessage(4010, LogLevel.Information, "Created a signing key in {Path}.")]
    public static partial void KeyMade(ILogger logger, string path);

    [LoggerMessage(
        4011,
        LogLevel.Warning,
        "Other users could read the signing key in {Path}; its mode is now 0600. Replace the key if they may have read it."
    )]
    public static partial void KeyFileOpen(ILogger logger, string path);

    [LoggerMessage(4030, LogLevel.Debug, "A bearer token was refused: {Reason}.")]
    public static partial void TokenRefused(ILogger logger, TokenFault reason);

    [LoggerMessage(4031, LogLevel.Debug, "A session cookie was refused: it belongs to no open session.")]
    public static partial void CookieRefused(ILogger logger);

    [LoggerMessage(4032, LogLevel.Debug, "A ticket was refused: it is unknown, expired or used, or its session has ended.")]
    public static partial void TicketRefused(ILogger logger);

    [LoggerMessage(4033, LogLevel.Error, "Validating a credential failed. The request is refused with an error.")]
    public static partial void CredentialFailed(ILogger logger, Exception exception);

    [LoggerMessage(4034, LogLevel.Debug, "Fetched {Count} keys of issuer {Issuer} from {Address}.")]
    public static partial void KeysFetched(ILogger logger, string issuer, string address, int count);

    [LoggerMessage(
        4035,
        LogLevel.Warning,
        "Refreshing the keys of issuer {Issuer} from {Address} failed: {Reason}. Known keys stay in use. "
            + "Tokens with new keys get 503 until a refresh succeeds."
    )]
    public static partial void KeysNotRefreshed(ILogger logger, string issuer, string address, PeerText reason);

    [LoggerMessage(
        4036,
        LogLevel.Error,
        "Fetching the keys of issuer {Issuer} from {Address} failed: {Reason}. Its tokens get 503 until a fetch succeeds. Check the address."
    )]
    public static partial void KeysMissing(ILogger logger, string issuer, string address, PeerText reason);
}
