using Dunlin.Topics;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The code of docs/concepts/topics-and-patterns.md, compiled.</summary>
internal static class PatternsSnippet
{
    // <pattern-policy>
    public sealed class TeamAccess : IAccessPolicy, IPatternAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken ct) => new(IsMember(caller, topic.Value));

        // teams/{id}/...: the pattern's prefix says which team. "teams/*/alerts" has the prefix "teams" and is nobody's.
        public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken ct) =>
            new(IsMember(caller, pattern.Prefix));
    }

    // </pattern-policy>

    private static bool IsMember(Caller caller, string name) => caller.Roles.Any(team => NamePrefix.Covers(team, name));
}
