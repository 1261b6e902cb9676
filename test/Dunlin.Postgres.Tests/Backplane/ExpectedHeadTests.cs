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
    public void What_is_known_already_asks_nothing()
    {
        Tell(5);
        Assert.Equal(ExpectedHead.Decision.InStep, Decide());
    }

    [Fact]
    public void A_hint_that_comes_within_the_grace_leaves_nothing_to_read()
    {
        Tell(6);
        Assert.Equal(ExpectedHead.Decision.Wait(Grace), Decide());
        Hint(6);
        Pass(Grace);
        Assert.Equal(ExpectedHead.Decision.InStep, Decide());
    }

    [Fact]
    public void A_hint_that_does_not_come_is_read_after_the_grace_and_the_next_ones_at_once_until_hints_come_again()
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
    public void What_is_told_while_another_is_expected_gets_a_grace_of_its_own_once_that_has_come()
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
    public void While_no_hints_come_everything_is_read_at_once()
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
    public void A_grace_of_zero_waits_for_no_hint()
    {
        var head = new ExpectedHead(TimeSpan.Zero) { HintsCome = true };
        head.OnTold(At(6), _known);
        Assert.Equal(ExpectedHead.Decision.Read(At(6)), head.Decide(_known, _now));
    }

    [Fact]
    public void Another_history_and_an_older_position_tell_nothing()
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
