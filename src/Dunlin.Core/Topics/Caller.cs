using System.Collections.Frozen;
using System.Security.Claims;

namespace Dunlin.Topics;

/// <summary>
/// The signed-in user of a request or stream. Immutable. Created from the credential only, never from a request parameter.
/// </summary>
/// <param name="UserId">The stable id of the user.</param>
/// <param name="Name">The display name.</param>
public sealed record Caller(string UserId, string Name)
{
    /// <summary>Gets the sign-in session; null for credentials without one.</summary>
    public string? SessionId { get; init; }

    /// <summary>Gets the stream connection of the requesting page, as the request states it; null if unknown.</summary>
    /// <remarks>Not authenticated. It is always compared together with the user, so that a false id cannot affect other users.</remarks>
    public string? ConnectionId { get; init; }

    /// <summary>Gets the browser or device; null if unknown.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Gets the roles of the user. Default: none.</summary>
    public IReadOnlySet<string> Roles { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Gets the expiry of the credential (UTC), at which streams are closed; null if it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Gets the time at which the credential was issued (UTC); null if unknown. Revocations compare it.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>Gets the grants in the credential; see <see cref="GrantPolicy"/>. Default: none.</summary>
    public Grants Grants { get; init; } = Grants.None;

    /// <summary>Gets the claims principal, for policies that need further claims.</summary>
    public ClaimsPrincipal Principal { get; init; } = new();

    /// <summary>The role that may preempt leases and see totals by default.</summary>
    public const string AdministratorRole = "admin";

    /// <summary>Gets whether the user has <see cref="AdministratorRole"/>.</summary>
    public bool IsAdministrator => Roles.Contains(AdministratorRole);
}
