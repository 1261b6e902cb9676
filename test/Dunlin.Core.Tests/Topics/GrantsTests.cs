using Dunlin.Leases;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Topics;

public sealed class GrantsTests
{
    private static readonly GrantPolicy Policy = new();

    [Fact]
    public void A_claim_round_trips()
    {
        const string json = """{"subscribe":["a/*","b"],"publish":["c/**"],"hold":["d"],"take":["e"]}""";
        Assert.Equal(json, Grants.Parse(json).ToJson());
        Assert.Equal("{}", Grants.None.ToJson());
        Assert.Empty(Grants.Parse("{}").Subscribe);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"subscribe":"a"}""")]
    [InlineData("""{"subscribe":null}""")]
    [InlineData("""{"subscribe":[1]}""")]
    [InlineData("""{"subscribe":["a"],"subscribe":["b"]}""")]
    [InlineData("""{"Subscribe":["a"]}""")]
    [InlineData("""{"subscribe":["a"],"admin":["b"]}""")]
    [InlineData("""{"subscribe":["a*"]}""")]
    [InlineData("""{"subscribe":["a"]""")]
    public void A_misspelt_claim_is_refused(string json)
    {
        Assert.Throws<FormatException>(() => Grants.Parse(json));
        Assert.False(Grants.TryParse(json, out var grants));
        Assert.Same(Grants.None, grants);
    }

    [Fact]
    public async Task Each_permission_is_separate_and_nothing_is_open_by_default()
    {
        var nobody = new Caller("u", "U");
        var reader = nobody with { Grants = Grants.Parse("""{"subscribe":["x"]}""") };
        var writer = nobody with { Grants = Grants.Parse("""{"publish":["x"]}""") };
        var holder = nobody with { Grants = Grants.Parse("""{"hold":["x"]}""") };
        var taker = nobody with { Grants = Grants.Parse("""{"take":["x"]}""") };
        Assert.Equal("----", await RightsAsync(nobody));
        Assert.Equal("----", await RightsAsync(nobody with { Roles = new HashSet<string> { Caller.AdministratorRole } }));
        Assert.Equal("r---", await RightsAsync(reader));
        Assert.Equal("-w--", await RightsAsync(writer));
        Assert.Equal("--h-", await RightsAsync(holder));
        Assert.Equal("--ht", await RightsAsync(taker));
    }

    private static async Task<string> RightsAsync(Caller caller)
    {
        var (topic, resource) = (TopicName.Parse("x"), ResourceName.Parse("x"));
        return string.Concat(
            await Policy.MayReadAsync(caller, topic, default) ? 'r' : '-',
            await Policy.MayPublishAsync(caller, topic, default) ? 'w' : '-',
            await Policy.MayHoldAsync(caller, resource, default) ? 'h' : '-',
            await Policy.MayPreemptAsync(caller, resource, default) ? 't' : '-'
        );
    }
}
