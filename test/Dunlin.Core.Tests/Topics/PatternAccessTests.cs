using Dunlin.Hosting;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Topics;

/// <summary>A pattern gives no access to topics of another policy.</summary>
public sealed class PatternAccessTests
{
    private static readonly Caller Ann = new("ann", "Ann");

    [Theory]
    [InlineData("teams/7/**", true)]
    [InlineData("teams/*/chat", true)]
    [InlineData("teams/*", true)]
    [InlineData("teams/**", true)]
    [InlineData("teams/7", true)]
    [InlineData("Teams/7/**", false)]
    [InlineData("teamsters/**", false)]
    [InlineData("team/**", false)]
    [InlineData("*/7", false)]
    [InlineData("**", false)]
    [InlineData("*", false)]
    public async Task A_pattern_needs_a_policy_with_a_prefix_that_covers_it(string pattern, bool isAllowed) =>
        Assert.Equal(isAllowed, await MayAsync(pattern, ("teams", new All())));

    [Theory]
    [InlineData("teams/**", false)]
    [InlineData("teams/*", false)] // includes "teams/7", which the other policy owns
    [InlineData("teams/*/chat", false)]
    [InlineData("teams/7/**", false)] // owned by the other policy, which allows no pattern
    [InlineData("teams/8/**", true)]
    [InlineData("teams/70/**", true)]
    [InlineData("*/7", false)]
    public async Task A_pattern_is_refused_where_another_policy_owns_a_part(string pattern, bool isAllowed)
    {
        Assert.Equal(isAllowed, await MayAsync(pattern, ("teams", new All()), ("teams/7", new None())));
        Assert.Equal(isAllowed, await MayAsync(pattern, ("teams/7/", new None()), ("teams/", new All())));
    }

    [Fact]
    public async Task One_policy_under_two_prefixes_decides_for_both()
    {
        var all = new All();
        Assert.True(await MayAsync("teams/**", ("teams", all), ("teams/7", all)));
        Assert.False(await MayAsync("teams/**", ("teams", all), ("teams/7", all), ("teams/7/secret", new All())));
    }

    [Theory]
    [InlineData("dunlin/**")]
    [InlineData("dunlin/access")]
    [InlineData("dunlin")]
    [InlineData("*/access")]
    [InlineData("*/**")]
    [InlineData("*")]
    [InlineData("**")]
    public async Task Internal_topics_of_nodes_match_no_pattern(string pattern)
    {
        Assert.False(await MayAsync(pattern, ("", new All()), ("dunlin", new All())));
        Assert.False(await MayAsync(pattern, ("", new All())));
    }

    [Theory]
    [InlineData("ann", "users/ann/**", true)]
    [InlineData("ann", "users/ann/devices/*", true)]
    [InlineData("ann", "users/ann/*/x", true)]
    [InlineData("ann", "users/bob/**", false)]
    [InlineData("ann", "users/anna/**", false)]
    [InlineData("ann", "users/Ann/**", false)]
    [InlineData("ann", "users/*", false)]
    [InlineData("ann", "users/**", false)]
    [InlineData("a/b", "users/a/**", false)]
    [InlineData("a/b", "users/a%2Fb/**", true)]
    [InlineData("*", "users/*/x", false)] // the id "*" is encoded as "%2A"
    [InlineData("*", "users/%2A/**", true)]
    public async Task A_user_reads_by_pattern_below_the_own_id_only(string userId, string pattern, bool isAllowed) =>
        Assert.Equal(isAllowed, await new AccessPolicies([]).MayReadAllAsync(new Caller(userId, userId), TopicPattern.Parse(pattern)));

    [Fact]
    public async Task A_policy_without_pattern_support_refuses_every_pattern()
    {
        var policies = new AccessPolicies([new AccessRule("", new None())]);
        Assert.True(await policies.MayReadAsync(Ann, TopicName.Parse("teams/7")));
        Assert.False(await policies.MayReadAllAsync(Ann, TopicPattern.Parse("teams/7/**")));
    }

    [Theory]
    [InlineData("teams/7/**", "teams/7/**", true)]
    [InlineData("teams/7/**", "teams/7/*/chat", true)]
    [InlineData("teams/7/**", "teams/*/chat", false)]
    [InlineData("teams/*", "teams/**", false)]
    [InlineData("**", "teams/**", true)]
    [InlineData("**", "**", false)]
    [InlineData("**", "dunlin/**", false)]
    [InlineData("**", "records/**", false)]
    [InlineData("**", "records/revocations", false)]
    [InlineData("users/1/**", "users/10/**", false)]
    public async Task A_token_opens_a_pattern_that_one_of_its_grants_covers(string granted, string asked, bool isAllowed)
    {
        var caller = Ann with { Grants = new Grants { Subscribe = [TopicPattern.Parse(granted)] } };
        Assert.Equal(
            isAllowed,
            await new AccessPolicies([new AccessRule("", new GrantPolicy())]).MayReadAllAsync(caller, TopicPattern.Parse(asked))
        );
        caller = Ann with { Grants = new Grants { Publish = [TopicPattern.Parse(granted)] } };
        Assert.False(await new AccessPolicies([new AccessRule("", new GrantPolicy())]).MayReadAllAsync(caller, TopicPattern.Parse(asked)));
    }

    private static ValueTask<bool> MayAsync(string pattern, params (string Prefix, IAccessPolicy Policy)[] rules) =>
        new AccessPolicies(rules.Select(rule => new AccessRule(rule.Prefix, rule.Policy))).MayReadAllAsync(
            Ann,
            TopicPattern.Parse(pattern)
        );

    private sealed class All : IAccessPolicy, IPatternAccessPolicy
    {
        public ValueTask<bool> MayReadAllAsync(Caller caller, TopicPattern pattern, CancellationToken cancellationToken) => new(true);
    }

    private sealed class None : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
    }
}
