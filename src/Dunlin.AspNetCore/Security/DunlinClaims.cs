namespace Dunlin.Security;

/// <summary>Claim types of Dunlin's own identities, as in RFC 7519 and OpenID Connect.</summary>
public static class DunlinClaims
{
    /// <summary>The stable id of the user.</summary>
    public const string UserId = "sub";

    /// <summary>The name shown to others.</summary>
    public const string Name = "name";

    /// <summary>One role; there may be many.</summary>
    public const string Role = "roles";

    /// <summary>The sign-in session.</summary>
    public const string SessionId = "sid";

    /// <summary>When the credential ends, in seconds since 1970.</summary>
    public const string ExpiresAt = "exp";

    /// <summary>When the credential was issued, in seconds since 1970, perhaps with a fraction.</summary>
    public const string IssuedAt = "iat";

    /// <summary>What the credential itself allows: <see cref="Topics.Grants"/> as JSON.</summary>
    public const string Grants = "dunlin";
}
