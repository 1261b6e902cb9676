using System.ComponentModel.DataAnnotations;

namespace Dunlin.Access;

/// <summary>How long revocations are remembered.</summary>
public sealed class RevocationOptions
{
    /// <summary>How long the end of a single session is remembered: at least as long as a token bound to a session lasts. The end of
    /// all access of a user is never forgotten. Default: 30 days.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan SessionAge { get; set; } = TimeSpan.FromDays(30);
}
