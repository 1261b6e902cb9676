using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Security;

/// <summary>Refuses long-lived credentials in URLs, because URLs end up in logs, histories and referrers. Endpoints with
/// <see cref="AcceptsTicket"/> accept a single-use ticket.</summary>
internal static class UrlCredentials
{
    public const string Ticket = "ticket";

    private const string Hint =
        "Send the token in the Authorization header; for an EventSource get a ticket from POST /api/v1/auth/ticket.";

    /// <summary>Throws if the URL contains a token, even if the request has another credential, so that the fault is noticed.</summary>
    public static void RefuseTokens(HttpRequest request)
    {
        if (!request.QueryString.HasValue)
            return;
        if (request.Query.ContainsKey("access_token"))
            throw Refused("access_token");
        // Other values, such as share links, are called "token" too. Only values in the form of a JWT are refused.
        foreach (var value in request.Query["token"])
        {
            if (value is not null && value.StartsWith("eyJ", StringComparison.Ordinal) && value.Count(c => c == '.') == 2)
                throw Refused("token");
        }
    }

    private static DunlinException Refused(string field) =>
        new(ErrorCode.InvalidField, $"The address has a token in '{field}', where logs would store it. {Hint}", field);
}

/// <summary>Marks a GET endpoint that accepts <c>?ticket=</c> as credential. Immutable.</summary>
public sealed class AcceptsTicket
{
    /// <summary>Gets the shared instance.</summary>
    public static AcceptsTicket Instance { get; } = new();
}
