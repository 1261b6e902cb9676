using Dunlin.Journal;
using Dunlin.Postgres.Backplane;

namespace Dunlin.Postgres.Tests.Backplane;

/// <summary>When a node reads the head after the notification of a commit.</summary>
public sealed class ExpectedHeadTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(20);

    private readonly ExpectedHead _head = new(Grace) { HintsCome = true };
    private TimeSpan _now = TimeSpan.FromHours(1);
    private Position _known = At(5);

    [Fact]
    public void A_known_position_needs_no_query()
    {
        Tell(5);
        Assert.Equal(ExpectedHead.Decision.InStep, Decide());
    }

    [Fact]
    public void A_notification_within_the_grace_needs_no_query()
    {
        Tell(6);
        Assert.Equal(ExpectedHead.Decision.Wait(Grace), Decide());
        Hint(6);
        Pass(Grace);
        Assert.Equal(ExpectedHead.Decision.InStep, Decide());
    }

    [Fact]
    public void After_a_missed_notification_heads_are_read_at_once_until_one_arrives()
    {
        Tell(6);
        Assert.Equal(ExpectedHead.Decision.Wait(Grace), Decide());
        Pass(Grace);
        Read(6);
        Tell(7);
        Read(7);
        // They are late and not new, but they do arrive.
        Hint(7);
        Tell(8);
        Assert.Equal(ExpectedHead.Decision.Wait(Grace), Decide());
    }

    [Fact]
    public void A_head_advertised_during_another_wait_gets_its_own_grace()
    {
        Tell(6);
        Decide();
        Pass(Grace / 2);
        Tell(7);
        Assert.Equal(ExpectedHead.Decision.Wait(Grace / 2), Decide());
        Hint(6);
        Assert.Equal(ExpectedHead.Decision.Wait(Grace), Decide());
        Pass(Grace);
        Read(7);
    }

    [Fact]
    public void Without_notifications_every_head_is_read_at_once()
    {
        _head.HintsCome = false;
        Tell(6);
        Read(6);
        _head.HintsCome = true;
        Tell(7);
        Decide();
        _head.HintsCome = false;
        Read(7);
    }

    [Fact]
    public void A_zero_grace_does_not_wait_for_notifications()
    {
        var head = new ExpectedHead(TimeSpan.Zero) { HintsCome = true };
        head.OnTold(At(6), _known);
        Assert.Equal(ExpectedHead.Decision.Read(At(6)), head.Decide(_known, _now));
    }

    [Fact]
    public void Another_epoch_and_an_older_position_are_ignored()
    {
        Tell(6);
        _head.OnTold(new Position(8, 99), _known);
        Tell(4);
        Assert.Equal(At(6), _head.Advertised);
    }

    private static Position At(long offset) => new(7, offset);

    private void Tell(long offset) => _head.OnTold(At(offset), _known);

    private void Hint(long offset)
    {
        _known = At(Math.Max(offset, _known.Offset));
        _head.OnCommitNotification();
    }

    private void Pass(TimeSpan time) => _now += time;

    private ExpectedHead.Decision Decide() => _head.Decide(_known, _now);

    private void Read(long through)
    {
        Assert.Equal(ExpectedHead.Decision.Read(At(through)), Decide());
        _known = At(through);
        Assert.Equal(ExpectedHead.Decision.InStep, Decide());
    }
}
