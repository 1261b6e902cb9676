using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Publishing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Dunlin.Mercure.Tests.Publishing;

public sealed class UpdateFormTests
{
    private static readonly HubUrl Hub = new("https://hub.example.com/.well-known/mercure");

    [Fact]
    public void All_fields_are_read_and_unknown_ones_ignored()
    {
        var update = Read("topic=https://example.com/1&topic=%2Fb&data=a%0Ab&private&id=urn:x&type=t&retry=0050&later=1");
        Assert.Equal(["https://example.com/1", "/b"], update.Topics.Select(topic => topic.Text));
        Assert.Equal(("a\nb", true, "urn:x", "t", "0050"), (update.Data, update.IsPrivate, update.Id, update.Type, update.Retry));
    }

    [Theory]
    [InlineData("topic=a", false)]
    [InlineData("topic=a&private=", true)]
    [InlineData("topic=a&private=off", true)]
    [InlineData("topic=a&private=on", true)]
    public void Presence_of_private_decides_and_not_its_value(string form, bool isPrivate) => Assert.Equal(isPrivate, Read(form).IsPrivate);

    [Fact]
    public void An_update_without_optional_fields_has_defaults()
    {
        var update = Read("topic=a");
        Assert.Equal(("", null, null, null), (update.Data, update.Id, update.Type, update.Retry));
    }

    [Theory]
    [InlineData("data=x")]
    [InlineData("")]
    [InlineData("topic=*")]
    [InlineData("topic=a&topic=*")]
    [InlineData("topic=a%00")]
    [InlineData("topic=a%E2%80%8B")]
    [InlineData("topic=/.well-known/mercure/subscriptions/x")]
    [InlineData("topic=a&topic=https://x.example/.well-known/%256Dercure/%2E%2E/mercure")]
    [InlineData("topic=a&id=%23x")]
    [InlineData("topic=a&id=earliest")]
    [InlineData("topic=a&id=a%0Ab")]
    [InlineData("topic=a&type=mercure")]
    [InlineData("topic=a&type=a%0Db")]
    [InlineData("topic=a&retry=")]
    [InlineData("topic=a&retry=-1")]
    [InlineData("topic=a&retry=1.5")]
    [InlineData("topic=a&retry=%D9%A1")]
    [InlineData("topic=a&data=%00")]
    public void Faulty_fields_are_refused(string form) => Assert.Throws<FormatException>(() => Read(form));

    [Fact]
    public void Fields_over_a_limit_are_too_large()
    {
        Assert.Throws<UpdateTooLargeException>(() => Read("topic=" + new string('a', UpdateForm.MaxLength + 1)));
        Assert.Throws<UpdateTooLargeException>(() => Read("topic=a&id=" + new string('a', UpdateForm.MaxLength + 1)));
        Assert.Throws<UpdateTooLargeException>(() => Read(string.Join('&', Enumerable.Repeat("topic=a", UpdateForm.MaxTopics + 1))));
    }

    private static Update Read(string form) => UpdateForm.Read(new FormCollection(QueryHelpers.ParseQuery(form)), Hub);
}
