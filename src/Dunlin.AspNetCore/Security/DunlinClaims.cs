namespace Dunlin.Security;

/// <summary>Contains the claim types of Dunlin's identities.</summary>
/// <remarks>The names are those of RFC 7519, section 4.1, and of OpenID Connect Core 1.0, section 5.1.</remarks>
public static class DunlinClaims
{
    /// <summary>The stable id of the user.</summary>
    public const string UserId = "sub";

    /// <summary>The display name.</summary>
    public const string Name = "name";

    /// <summary>A role. An identity may have several such claims.</summary>
    public const string Role = "roles";

    /// <summary>The id of the sign-in session.</summary>
    public const string SessionId = "sid";

    /// <summary>The expiry time of the credential, in seconds since 1970-01-01 UTC.</summary>
    public const string ExpiresAt = "exp";

    /// <summary>The issue time of the credential, in seconds since 1970-01-01 UTC, possibly with a fraction.</summary>
    public const string IssuedAt = "iat";

    /// <summary>What the credential itself allows: <see cref="Topics.Grants"/> as JSON.</summary>
    public const string Grants = "dunlin";
}
