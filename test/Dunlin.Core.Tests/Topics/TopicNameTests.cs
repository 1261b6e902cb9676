using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Topics;

public sealed class TopicNameTests
{
    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a\0")]
    [InlineData("café")]
    [InlineData("cafe\u0301")]
    public void An_invalid_name_is_refused_with_the_reason(string? text)
    {
        var topic = Assert.Throws<DunlinException>(() => TopicName.Parse(text));
        Assert.Equal(ErrorCode.InvalidTopic, topic.Code);
        Assert.Equal(ErrorCode.InvalidResource, Assert.Throws<DunlinException>(() => ResourceName.Parse(text)).Code);
        Assert.False(TopicName.TryParse(text, out _));
    }

    [Theory]
    [InlineData(201)]
    [InlineData(0)]
    public void A_joined_name_that_is_not_valid_has_the_error_of_its_kind(int length)
    {
        var segment = new string('a', length);
        Assert.Equal(ErrorCode.InvalidTopic, Assert.Throws<DunlinException>(() => TopicName.Of(segment)).Code);
        Assert.Equal(ErrorCode.InvalidResource, Assert.Throws<DunlinException>(() => ResourceName.Of(segment)).Code);
        Assert.Equal(ErrorCode.InvalidField, Assert.Throws<DunlinException>(() => SpaceName.Of(segment)).Code);
    }

    [Fact]
    public void A_name_has_at_most_200_characters()
    {
        Assert.Equal(200, TopicName.Parse(new string('a', 200)).Value.Length);
        Assert.Throws<DunlinException>(() => TopicName.Parse(new string('a', 201)));
    }

    [Theory]
    [InlineData("users/1", "users/1", true)]
    [InlineData("users/1", "users/1/x", true)]
    [InlineData("users/1/", "users/1/x", true)]
    [InlineData("users/1", "users/10", false)]
    [InlineData("users/1", "Users/1", false)]
    [InlineData("users/1", "users", false)]
    [InlineData("", "anything", true)]
    public void A_prefix_ends_at_a_segment_and_is_case_sensitive(string prefix, string name, bool covered) =>
        Assert.Equal(covered, TopicName.Parse(name).IsUnder(prefix));

    [Fact]
    public void Two_user_ids_never_share_a_topic()
    {
        string[] ids = ["1", "10", "1/x", "1%2Fx", "a b", "a%20b", "é", "e\u0301", "A", "a"];
        Assert.Equal(ids.Length, ids.Select(TopicName.ForUser).Distinct().Count());
        Assert.All(ids, id => Assert.Equal(1, TopicName.ForUser(id).Value.Count(c => c == '/')));
    }

    [Fact]
    public async Task A_user_may_read_own_topics_and_those_that_a_policy_allows()
    {
        var policies = new AccessPolicies([new AccessRule("open", new Open()), new AccessRule("open/shut", new Shut())]);
        var ann = new Caller("1", "Ann");
        async Task<bool> May(string topic) => await policies.MayReadAsync(ann, TopicName.Parse(topic));
        Assert.True(await May("users/1"));
        Assert.True(await May("users/1/inbox"));
        Assert.False(await May("users/10"));
        Assert.False(await May("users"));
        Assert.True(await May("open/x"));
        Assert.False(await May("open/shut/x"));
        Assert.False(await May("openx"));
        Assert.False(await policies.MayHoldAsync(ann, ResourceName.Parse("open/x")));
        Assert.False(await policies.MayPublishAsync(ann, TopicName.Parse("users/1")));
    }

    private sealed class Open : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
    }

    private sealed class Shut : IAccessPolicy;
}
