using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.AspNetCore.Tests.Problems;

/// <summary>RFC 9110, section 13.1.1, with the weak comparison.</summary>
public sealed class IfMatchTests
{
    [Theory]
    [InlineData("\"622\"", true)]
    [InlineData("W/\"622\"", true)]
    [InlineData("*", true)]
    [InlineData(" * ", true)]
    [InlineData("\"1\", \"622\"", true)]
    [InlineData("\"1\",W/\"622\" , \"3\"", true)]
    [InlineData("\"a,b\", \"622\"", true)]
    [InlineData("\"621\"", false)]
    [InlineData("W/\"621\"", false)]
    [InlineData("\"0622\"", false)]
    [InlineData("\"abc\"", false)]
    [InlineData("\"\"", false)]
    [InlineData("\"1\", \"2\"", false)]
    public void Any_matching_tag_allows_the_change(string header, bool isAllowed)
    {
        var precondition = IfMatch.Of(Request(header))!;
        Assert.Equal(isAllowed, precondition.Allows(622));
        Assert.Equal(isAllowed, precondition.Allows("\"622\""));
    }

    [Fact]
    public void Tags_of_several_headers_form_one_list() => Assert.True(IfMatch.Of(Request("\"1\"", "W/\"622\""))!.Allows(622));

    [Theory]
    [InlineData("622")]
    [InlineData("\"622")]
    [InlineData("W/622")]
    [InlineData("\"1\" \"2\"")]
    [InlineData("*, \"622\"")]
    [InlineData(",")]
    [InlineData("")]
    public void A_malformed_list_of_tags_is_refused(string header)
    {
        var error = Assert.Throws<DunlinException>(() => IfMatch.Of(Request(header)));
        Assert.Equal((ErrorCode.InvalidField, "If-Match"), (error.Code, error.Field));
    }

    [Fact]
    public void Without_the_header_there_is_no_precondition() => Assert.Null(IfMatch.Of(new DefaultHttpContext().Request));

    [Fact]
    public void A_version_in_the_body_is_a_precondition_too()
    {
        Assert.True(IfMatch.Version(7).Allows(7));
        Assert.False(IfMatch.Version(7).Allows(8));
    }

    private static HttpRequest Request(params string[] values)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.IfMatch = values;
        return context.Request;
    }
}
