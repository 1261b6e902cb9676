using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Security;

/// <summary>
/// Addresses end up in logs, histories and referrers, so nothing that lives long may stand in them. A single-use ticket
/// may, at endpoints that carry <see cref="AcceptsTicket"/>.
/// </summary>
internal static class UrlCredentials
{
    public const string Ticket = "ticket";

    private const string Hint =
        "Send the token in the Authorization header; for an EventSource get a ticket from POST /api/v1/auth/ticket.";

    /// <summary>Refuses a request with a token in its address, even if it has another credential, so that the fault is noticed.</summary>
    public static void RefuseTokens(HttpRequest request)
    {
        if (!request.QueryString.HasValue)
            return;
        if (request.Query.ContainsKey("access_token"))
            throw Refused("access_token");
        // Other things are called tokens too, such as share links: only what looks like a JWT is refused.
        foreach (var value in request.Query["token"])
        {
            if (value is not null && value.StartsWith("eyJ", StringComparison.Ordinal) && value.Count(c => c == '.') == 2)
                throw Refused("token");
        }
    }

    private static DunlinException Refused(string field) =>
        new(ErrorCode.InvalidField, $"The address has a token in '{field}', where logs would store it. {Hint}", field);
}

/// <summary>Marks a GET endpoint where <c>?ticket=</c> is taken as the credential.</summary>
public sealed class AcceptsTicket
{
    /// <summary>The one mark there need be.</summary>
    public static AcceptsTicket Instance { get; } = new();
}
