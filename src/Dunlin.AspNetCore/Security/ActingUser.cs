using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Dunlin.Security;

/// <summary>Checks that a request acts for the user that its page shows.</summary>
/// <remarks>The tabs of a browser share one session cookie. After another user signs in in one tab, requests of the other tabs carry that
/// user's cookie. A page that sends its user id gets an error then, before the server reads or writes with the wrong account.</remarks>
internal static class ActingUser
{
    /// <summary>Request header with the percent-encoded id of the user.</summary>
    public const string Header = "Dunlin-User";

    /// <summary>Query parameter with the same id, for requests that cannot set headers: <c>EventSource</c>, frames and links.</summary>
    public const string Parameter = "dunlin-user";

    /// <summary>Throws if a request names another user than its credential.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.UserChanged"/>: the request names another user.
    /// <see cref="ErrorCode.InvalidField"/>: the request names no user or several in one field.</exception>
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
        // ASP.NET Core decodes the query but not the header.
        var user = ReferenceEquals(field, Header) ? Uri.UnescapeDataString(named) : named;
        if (!string.Equals(user, userId, StringComparison.Ordinal))
            throw new DunlinException(ErrorCode.UserChanged);
    }
}
