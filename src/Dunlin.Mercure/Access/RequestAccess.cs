using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Mercure.Access;

/// <summary>Finds and validates the token of a request, and writes refusals. Thread-safe.</summary>
/// <remarks>The Mercure protocol, sections Presenting the Access Token and Error Responses.</remarks>
internal sealed class RequestAccess(MercureHub hub, MercureTokens tokens)
{
    private const string Bearer = "Bearer";

    /// <summary>Returns what the token of the request permits; null if it has none.</summary>
    /// <exception cref="AccessRefusedException">The token is not valid, or is presented in a wrong way.</exception>
    public async ValueTask<MercureAccess?> FindAsync(HttpContext context)
    {
        var (token, source) = TokenOf(context.Request);
        if (token is null)
            return null;
        return await tokens.ValidateAsync(token, source, context.RequestAborted) ?? throw AccessRefusedException.InvalidToken();
    }

    /// <summary>Returns what the token of the request permits.</summary>
    /// <exception cref="AccessRefusedException">The request has no valid token.</exception>
    public async ValueTask<MercureAccess> RequireAsync(HttpContext context) =>
        await FindAsync(context) ?? throw AccessRefusedException.NoToken();

    private (string? Token, TokenSource Source) TokenOf(HttpRequest request)
    {
        var headers = request.Headers.Authorization;
        if (headers.Count > 1)
            throw AccessRefusedException.InvalidRequest("The request has several Authorization headers. Send one.");
        if (headers.Count == 1)
        {
            var header = headers[0] ?? "";
            if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) || (header.Length > Bearer.Length && header[6] != ' '))
                return (null, TokenSource.None); // another scheme; a cookie beside it is ignored
            var token = header[Bearer.Length..].Trim();
            return token.Length > 0
                ? (token, TokenSource.Header)
                : throw AccessRefusedException.InvalidRequest("The Authorization header has no token after 'Bearer'.");
        }
        if (hub.Speaks(MercureDialects.Version0) && request.Query["authorization"] is { Count: > 0 } query)
            return query is [{ Length: > 0 } only]
                ? (only, TokenSource.Query)
                : throw AccessRefusedException.InvalidRequest("The parameter 'authorization' must have one value.");
        if (hub.Speaks(MercureDialects.Version1) && request.Cookies[hub.Options.CookieName] is { Length: > 0 } cookie)
            return (cookie, TokenSource.Cookie);
        return hub.Speaks(MercureDialects.Version0) && request.Cookies[hub.Options.LegacyCookieName] is { Length: > 0 } legacy
            ? (legacy, TokenSource.Cookie)
            : (null, TokenSource.None);
    }

    /// <summary>Answers a refusal with its challenge and a problem document.</summary>
    public Task RefuseAsync(HttpContext context, AccessRefusedException refusal)
    {
        var error = refusal.Error is null ? "" : string.Create(CultureInfo.InvariantCulture, $"error=\"{refusal.Error}\", ");
        context.Response.Headers.WWWAuthenticate =
            hub.Speaks(MercureDialects.Version1) ? $"{Bearer} {error}resource_metadata=\"{hub.MetadataUrl}\""
            : error.Length > 0 ? $"{Bearer} {error.TrimEnd(',', ' ')}"
            : Bearer;
        var code = refusal.Status switch
        {
            StatusCodes.Status401Unauthorized => ErrorCode.NotSignedIn,
            StatusCodes.Status403Forbidden => ErrorCode.Forbidden,
            _ => ErrorCode.InvalidField,
        };
        return Problem.WriteAsync(context, new DunlinException(code, refusal.Message));
    }
}
