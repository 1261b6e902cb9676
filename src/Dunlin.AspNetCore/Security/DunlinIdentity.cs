using System.Globalization;
using System.Security.Claims;
using Dunlin.Accounts;

namespace Dunlin.Security;

/// <summary>Makes the identities of Dunlin's own scheme, all alike whatever the credential was.</summary>
internal static class DunlinIdentity
{
    public static ClaimsIdentity Create(string type, string userId, string name, IEnumerable<string> roles, string? sessionId, DateTimeOffset? expiresAt)
    {
        var identity = new ClaimsIdentity(type, DunlinClaims.Name, DunlinClaims.Role);
        identity.AddClaim(new Claim(DunlinClaims.UserId, userId));
        identity.AddClaim(new Claim(DunlinClaims.Name, name));
        foreach (var role in roles)
            identity.AddClaim(new Claim(DunlinClaims.Role, role));
        if (sessionId is not null)
            identity.AddClaim(new Claim(DunlinClaims.SessionId, sessionId));
        if (expiresAt is { } end)
            identity.AddClaim(new Claim(DunlinClaims.ExpiresAt, end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ClaimValueTypes.Integer64));
        return identity;
    }

    /// <summary>The identity of a session until it ends, or its credential does.</summary>
    public static ClaimsIdentity Create(LiveSession live, DateTimeOffset? until) => Create(
        DunlinAuthentication.Scheme, live.Account.UserId, live.Account.FullName, live.Account.Roles, live.Session.SessionId,
        until < live.Session.ExpiresAt ? until : live.Session.ExpiresAt);

    /// <summary>The identity that a ticket was got with, as it was then.</summary>
    public static ClaimsIdentity Create(Ticket ticket) => Create(
        ticket.ChecksSession ? DunlinAuthentication.Scheme : DunlinAuthentication.TrustedIssuerType,
        ticket.UserId, ticket.Name, ticket.Roles, ticket.SessionId, ticket.CredentialExpiresAt);

    public static DateTimeOffset? ExpiresAt(ClaimsIdentity identity) =>
        long.TryParse(identity.FindFirst(DunlinClaims.ExpiresAt)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}
