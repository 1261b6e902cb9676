using Dunlin.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Dunlin.Security;

/// <summary>Log messages of security. They never contain a password, token, cookie, ticket or key.</summary>
internal static partial class SecurityLog
{
    [LoggerMessage(4010, LogLevel.Information, "A signing key was made and kept in {Path}.")]
    public static partial void KeyMade(ILogger logger, string path);

    [LoggerMessage(4011, LogLevel.Warning, "The signing key in {Path} could be read by others; its mode was set to 0600.")]
    public static partial void KeyFileOpen(ILogger logger, string path);

    [LoggerMessage(4030, LogLevel.Debug, "A bearer token was refused: {Reason}.")]
    public static partial void TokenRefused(ILogger logger, TokenFault reason);

    [LoggerMessage(4031, LogLevel.Debug, "A session cookie was refused.")]
    public static partial void CookieRefused(ILogger logger);

    [LoggerMessage(4032, LogLevel.Debug, "A ticket was refused.")]
    public static partial void TicketRefused(ILogger logger);

    [LoggerMessage(4033, LogLevel.Error, "A credential could not be judged.")]
    public static partial void CredentialFailed(ILogger logger, Exception exception);

    [LoggerMessage(4034, LogLevel.Debug, "Fetched {Count} keys of issuer {Issuer} from {Address}.")]
    public static partial void KeysFetched(ILogger logger, string issuer, string address, int count);

    [LoggerMessage(
        4035,
        LogLevel.Warning,
        "The keys of issuer {Issuer} could not be refreshed from {Address}: {Reason}. Known keys stay in use. "
            + "Tokens with new keys are answered 503."
    )]
    public static partial void KeysNotRefreshed(ILogger logger, string issuer, string address, PeerText reason);

    [LoggerMessage(
        4036,
        LogLevel.Error,
        "The keys of issuer {Issuer} could not be fetched from {Address}: {Reason}. Its tokens are answered 503 until a fetch succeeds."
    )]
    public static partial void KeysMissing(ILogger logger, string issuer, string address, PeerText reason);
}
