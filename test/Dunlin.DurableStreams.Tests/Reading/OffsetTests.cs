using Dunlin.Diagnostics;
using Dunlin.DurableStreams.Wire;
using Dunlin.Journal;

namespace Dunlin.DurableStreams.Tests.Reading;

/// <summary>The text of an offset has one form.</summary>
public sealed class OffsetTests
{
    private static readonly Position Head = new(42, 1_000);

    [Fact]
    public void A_written_offset_is_read_back() => Assert.Equal(17, StreamOffset.Parse(StreamOffset.Format(42, 17), Head, "offset"));

    [Theory]
    [InlineData("0000000000000042_00000000000017\0\0")]
    [InlineData("00000000000042\0\0_0000000000000017")]
    [InlineData("0000000000000042_000000000000001_")]
    public void Another_form_is_refused(string text) =>
        Assert.Equal(ErrorCode.InvalidField, Assert.Throws<DunlinException>(() => StreamOffset.Parse(text, Head, "offset")).Code);
}
