using System.ComponentModel.DataAnnotations;

namespace Dunlin.Access;

/// <summary>The options of revocations.</summary>
public sealed class RevocationOptions
{
    /// <summary>
    /// Gets or sets how long the revocation of a single session is kept. Default: 30 days. Range: 1 minute to 3,650 days.
    /// </summary>
    /// <remarks>
    /// It must be at least the lifetime of tokens that are bound to a session. Revocations of all credentials of a user are kept for ever.
    /// </remarks>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan SessionAge { get; set; } = TimeSpan.FromDays(30);
}
