using System.ComponentModel.DataAnnotations;

namespace Dunlin.Presence;

/// <summary>When somebody counts as gone, and where presence is kept at all.</summary>
public sealed class PresenceOptions
{
    /// <summary>How long a user stays present after the last connection is gone, so that a reconnect is not seen as leaving
    /// and joining. Default: 10 s.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Prefixes of topics without presence: nobody is listed and nothing is announced there. For topics that many
    /// may read who are not to learn of each other, such as notices to everybody. Default: none.</summary>
    [Required]
    public ISet<string> Without { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Joining and leaving are announced while at most so many are present on a topic; above it, ask for the list.
    /// Otherwise n readers that come back together would cost n times n deliveries. Default: 256.</summary>
    public int MaxAnnounced { get; set; } = 256;
}
