using System.Collections.Frozen;
using System.Security.Claims;

namespace Dunlin.Topics;

/// <summary>Who asks: the signed-in user of one request or stream. Made from the credential alone, never from a parameter.</summary>
/// <param name="UserId">The stable id of the user.</param>
/// <param name="Name">The name shown to others.</param>
public sealed record Caller(string UserId, string Name)
{
    /// <summary>The sign-in session; null for credentials without one.</summary>
    public string? SessionId { get; init; }

    /// <summary>The stream connection of the page that asks, as the request names it. A hint only: it is compared together
    /// with the user, so naming another's connection has no effect on the other.</summary>
    public string? ConnectionId { get; init; }

    /// <summary>The browser or device that asks.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Roles of the user.</summary>
    public IReadOnlySet<string> Roles { get; init; } = FrozenSet<string>.Empty;

    /// <summary>When the credential ends; null if it does not. A stream is closed then.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When the credential was issued; null if it does not say. Revocations compare it.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>What the credential itself allows; see <see cref="GrantPolicy"/>.</summary>
    public Grants Grants { get; init; } = Grants.None;

    /// <summary>The whole identity, for policies that need further claims.</summary>
    public ClaimsPrincipal Principal { get; init; } = new();

    /// <summary>The role that may see totals and take leases by default.</summary>
    public const string AdministratorRole = "admin";

    /// <summary>Whether the user has <see cref="AdministratorRole"/>.</summary>
    public bool IsAdministrator => Roles.Contains(AdministratorRole);
}
