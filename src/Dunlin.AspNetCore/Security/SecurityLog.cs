using Microsoft.Extensions.Logging;

namespace Dunlin.Security;

/// <summary>What security tells the log. Never a password, token, cookie, ticket or key.</summary>
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
}
