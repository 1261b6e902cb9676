using System.Text.Json.Serialization;

namespace Dunlin.Client;

/// <summary>The users who read a topic. Immutable.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Present">The users.</param>
/// <param name="UnresponsiveNodes">The number of nodes that did not answer. The users of these nodes are missing.</param>
public sealed record TopicPresence(
    string Topic,
    IReadOnlyList<PresentUser> Present,
    [property: JsonPropertyName("silentNodes")] int UnresponsiveNodes = 0
);

/// <summary>A user who reads a topic. Immutable.</summary>
/// <param name="UserId">The user id.</param>
/// <param name="Name">The display name.</param>
/// <param name="Since">The time of the user's first connection.</param>
/// <param name="Connections">The number of connections.</param>
public sealed record PresentUser(string UserId, string Name, DateTimeOffset Since, int Connections);
