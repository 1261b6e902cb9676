using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Dunlin.Security;

/// <summary>
/// The user that a page believes it acts for. The tabs of a browser share one session cookie: when another user signs in in
/// one tab, the requests of the others carry that user's cookie. A page that names its user is refused then, before anything
/// is read or written with the wrong account.
/// </summary>
internal static class ActingUser
{
    /// <summary>Request header with the percent-encoded id of the user.</summary>
    public const string Header = "Dunlin-User";

    /// <summary>The same in the query, for requests that cannot set headers: <c>EventSource</c>, frames, links.</summary>
    public const string Parameter = "dunlin-user";

    /// <summary>Refuses a request that names another user than the one its credential proves.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.UserChanged"/>, or <see cref="ErrorCode.InvalidField"/> where several are
    /// named.</exception>
    public static void Require(HttpRequest request, string userId)
    {
        if (request.Headers.TryGetValue(Header, out var header))
            Require(header, Header, userId);
        if (request.QueryString.HasValue && request.Query.TryGetValue(Parameter, out var parameter))
            Require(parameter, Parameter, userId);
    }

    private static void Require(StringValues values, string field, string userId)
    {
        if (values.Count != 1 || values[0] is not { Length: > 0 } named)
            throw new DunlinException(ErrorCode.InvalidField, $"'{field}' must be one percent-encoded user id.", field);
        // The server has decoded the query already; the header is as it was sent.
        var user = ReferenceEquals(field, Header) ? Uri.UnescapeDataString(named) : named;
        if (!string.Equals(user, userId, StringComparison.Ordinal))
            throw new DunlinException(ErrorCode.UserChanged);
    }
}
