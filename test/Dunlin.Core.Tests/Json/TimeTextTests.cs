using Dunlin.Diagnostics;
using Dunlin.Json;

namespace Dunlin.Core.Tests.Json;

public sealed class TimeTextTests
{
    [Theory]
    [InlineData("2026-03-01T09:30:00+02:00", "2026-03-01T07:30:00.0000000Z")]
    [InlineData("2026-03-01T09:30:00+0200", "2026-03-01T07:30:00.0000000Z")]
    [InlineData("2026-03-01T09:30:00+02", "2026-03-01T07:30:00.0000000Z")]
    [InlineData("2026-03-01T09:30-05:30", "2026-03-01T15:00:00.0000000Z")]
    [InlineData("2026-03-01T09:30:00.123456789Z", "2026-03-01T09:30:00.1234567Z")]
    [InlineData("2026-03-01t09:30:00,5z", "2026-03-01T09:30:00.5000000Z")]
    [InlineData("2026-03-01T09:30:00.999999999999999999-00:00", "2026-03-01T09:30:00.9999999Z")]
    public void A_time_with_an_offset_is_parsed(string text, string expected)
    {
        Assert.Equal(expected, TimeText.Parse(text, "at").UtcDateTime.ToString("O"));
        Assert.Equal(expected, TimeText.ParseQuery(text, "at").UtcDateTime.ToString("O"));
    }

    [Theory]
    [InlineData("2026-03-01T09:30:00 02:00")]
    [InlineData("2026-03-01T09:30:00.123456789 0200")]
    public void A_plus_decoded_as_a_space_is_accepted_in_queries_only(string text)
    {
        Assert.Equal(7, TimeText.ParseQuery(text, "from").UtcDateTime.Hour);
        Assert.Contains("no sign", Assert.Throws<DunlinException>(() => TimeText.Parse(text, "from")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-03-01T09:30:00", "no offset")]
    [InlineData("2026-03-01", "no offset")]
    [InlineData("2026-03-01 09:30", "no offset")]
    [InlineData("09:30", "no offset")]
    [InlineData("2026-02-30T09:30:00Z", "does not exist")]
    [InlineData("2026-03-01T25:00:00Z", "does not exist")]
    [InlineData("2026-03-01T09:30:00+25:00", "does not exist")]
    [InlineData("1712345678", "not a date and time")]
    [InlineData("", "not a date and time")]
    [InlineData(null, "not a date and time")]
    [InlineData("2026-03-01T09:30:00Z\n", "not a date and time")]
    [InlineData("0001-01-01T00:00:00Z", "between the years")]
    [InlineData("9999-12-31T23:59:59Z", "between the years")]
    public void An_invalid_time_is_refused_with_the_reason(string? text, string reason)
    {
        var refused = Assert.Throws<DunlinException>(() => TimeText.Parse(text, "start"));
        Assert.Equal((ErrorCode.InvalidField, "start"), (refused.Code, refused.Field));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_for_a_query_names_the_encoding_of_the_plus() =>
        Assert.Contains(
            "%2B",
            Assert.Throws<DunlinException>(() => TimeText.ParseQuery("2026-03-01T09:30:00", "from")).Message,
            StringComparison.Ordinal
        );
}
