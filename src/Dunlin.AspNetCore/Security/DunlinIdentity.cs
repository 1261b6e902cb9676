using System.Globalization;
using System.Security.Claims;
using Dunlin.Accounts;
using Dunlin.Topics;

namespace Dunlin.Security;

/// <summary>Makes the identities of Dunlin's own scheme, all alike whatever the credential was.</summary>
internal static class DunlinIdentity
{
    public static ClaimsIdentity Create(
        string type,
        string userId,
        string name,
        IEnumerable<string> roles,
        string? sessionId,
        DateTimeOffset? expiresAt
    )
    {
        var identity = new ClaimsIdentity(type, DunlinClaims.Name, DunlinClaims.Role);
        identity.AddClaim(new Claim(DunlinClaims.UserId, userId));
        identity.AddClaim(new Claim(DunlinClaims.Name, name));
        foreach (var role in roles)
            identity.AddClaim(new Claim(DunlinClaims.Role, role));
        if (sessionId is not null)
            identity.AddClaim(new Claim(DunlinClaims.SessionId, sessionId));
        if (expiresAt is { } end)
            identity.AddClaim(
                new Claim(DunlinClaims.ExpiresAt, end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ClaimValueTypes.Integer64)
            );
        return identity;
    }

    /// <summary>The identity of a session until it ends, or its credential does.</summary>
    public static ClaimsIdentity Create(SessionIdentity session, DateTimeOffset? until)
    {
        var identity = Create(
            DunlinAuthentication.Scheme,
            session.UserId,
            session.Name,
            session.Roles,
            session.SessionId,
            until < session.ExpiresAt ? until : session.ExpiresAt
        );
        AddIssue(identity, session.CreatedAt, grants: null);
        return identity;
    }

    /// <summary>The identity that a ticket was got with, as it was then. It counts as issued when the ticket was.</summary>
    public static ClaimsIdentity Create(TicketRow ticket)
    {
        var identity = Create(
            ticket.ChecksSession ? DunlinAuthentication.Scheme : DunlinAuthentication.TrustedIssuerType,
            ticket.UserId,
            ticket.Name,
            ticket.Roles,
            ticket.SessionId,
            ticket.CredentialExpiresAt
        );
        AddIssue(identity, ticket.ExpiresAt - Tickets.Lifetime, ticket.Grants);
        return identity;
    }

    /// <summary>Adds when the credential was issued and what it allows.</summary>
    public static void AddIssue(ClaimsIdentity identity, DateTimeOffset? issuedAt, string? grants)
    {
        if (issuedAt is { } at)
            identity.AddClaim(
                new Claim(
                    DunlinClaims.IssuedAt,
                    (at.ToUnixTimeMilliseconds() / 1000.0).ToString("0.###", CultureInfo.InvariantCulture),
                    ClaimValueTypes.Double
                )
            );
        if (grants is not null)
            identity.AddClaim(new Claim(DunlinClaims.Grants, grants, "JSON"));
    }

    public static DateTimeOffset? ExpiresAt(ClaimsIdentity identity) => Time(identity, DunlinClaims.ExpiresAt);

    /// <summary>When the credential was issued, rounded down to the millisecond: what is revoked up to then includes it.</summary>
    public static DateTimeOffset? IssuedAt(ClaimsIdentity identity) => Time(identity, DunlinClaims.IssuedAt);

    /// <summary>What the credential allows; nothing where the claim is absent or cannot be read.</summary>
    public static Grants GrantsOf(ClaimsIdentity identity) =>
        identity.FindFirst(DunlinClaims.Grants)?.Value is { } json && Grants.TryParse(json, out var grants) ? grants : Grants.None;

    // A NumericDate may have a fraction (RFC 7519, section 2).
    private static DateTimeOffset? Time(ClaimsIdentity identity, string claim) =>
        double.TryParse(identity.FindFirst(claim)?.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
        && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000))
            : null;
}
