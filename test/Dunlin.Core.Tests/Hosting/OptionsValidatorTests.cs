using System.Globalization;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Scheduling;

namespace Dunlin.Core.Tests.Hosting;

/// <summary>The validators that a source generator writes from the attributes of options.</summary>
public sealed class OptionsValidatorTests
{
    [Fact]
    public void A_negative_retention_limit_is_refused_by_name()
    {
        var options = new RetentionOptions { Default = new RetentionRule { MaxCount = -1 } };
        var result = new RetentionOptionsValidator().Validate(null, options);
        Assert.True(result.Failed);
        Assert.Contains("MaxCount", result.FailureMessage, StringComparison.Ordinal);
        Assert.True(new RetentionOptionsValidator().Validate(null, new RetentionOptions()).Succeeded);
    }

    [Fact]
    public void A_time_out_of_range_is_refused_with_its_limits()
    {
        var result = new LeaseOptionsValidator().Validate(null, new LeaseOptions { MaxPreemptionGrace = TimeSpan.FromHours(2) });
        Assert.True(result.Failed);
        Assert.Contains("MaxPreemptionGrace", result.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("between 00:00:00 and 01:00:00", result.FailureMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00:00:01", true)]
    [InlineData("00:01:00", true)]
    [InlineData("00:00:00.999", false)]
    [InlineData("00:01:00.001", false)]
    public void Limits_of_a_time_are_part_of_its_range(string value, bool isValid)
    {
        var range = new TimeSpanRangeAttribute("00:00:01", "00:01:00");
        Assert.Equal(isValid, range.IsValid(TimeSpan.Parse(value, CultureInfo.InvariantCulture)));
        Assert.True(range.IsValid(null));
        Assert.False(range.IsValid("00:00:30"));
    }
}
