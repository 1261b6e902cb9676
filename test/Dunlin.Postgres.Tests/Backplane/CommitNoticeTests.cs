using System.Diagnostics;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Postgres.Backplane;

namespace Dunlin.Postgres.Tests.Backplane;

public sealed class CommitNoticeTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c",
        Span = "b7ad6b7169203331";
    private static readonly Position Head = new(0x9f3c21aa, 1042);

    [Fact]
    public void A_commit_without_a_trace_is_announced_in_the_old_format() => Assert.Equal("9f3c21aa-1042", CommitNotice.Write(Head));

    [Fact]
    public void A_sampled_commit_carries_its_span_and_older_nodes_ignore_it()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DunlinActivities.Name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(DunlinActivities.Name);
        using var span = source.StartActivity("dunlin.commit")!;
        var notice = CommitNotice.Write(Head);
        Assert.Equal($"9f3c21aa-1042 00-{span.TraceId}-{span.SpanId}-01", notice);
        Assert.False(Position.TryParse(notice, out _));
        Assert.True(CommitNotice.TryParse(notice, out var position, out var heard));
        Assert.Equal((Head, span.TraceId, span.SpanId), (position, heard!.Value.TraceId, heard.Value.SpanId));
    }

    [Theory]
    [InlineData("9f3c21aa-1042", false)]
    [InlineData($"9f3c21aa-1042 00-{Trace}-{Span}-01", true)]
    [InlineData($"9f3c21aa-1042 00-{Trace}-{Span}", false)]
    [InlineData("9f3c21aa-1042 something newer", false)]
    public void A_notice_is_parsed_with_or_without_a_span(string notice, bool isTraced)
    {
        Assert.True(CommitNotice.TryParse(notice, out var position, out var commit));
        Assert.Equal((Head, isTraced), (position, commit is not null));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("9f3c21aa")]
    [InlineData($"00-{Trace}-{Span}-01 9f3c21aa-1042")]
    public void A_notice_without_a_position_is_ignored(string notice) => Assert.False(CommitNotice.TryParse(notice, out _, out _));
}
