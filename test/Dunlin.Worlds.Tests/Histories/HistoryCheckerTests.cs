namespace Dunlin.Worlds.Tests.Histories;

/// <summary>A correct history passes, and each rule finds the history that breaks it.</summary>
public sealed class HistoryCheckerTests
{
    private const string Resource = "worlds/1";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Correct_history_passes_and_is_counted()
    {
        var history = Correct();
        Assert.Empty(HistoryChecker.Check(history));
        Assert.Equal(new Figures(4, 1, 14, 0, 2), HistoryChecker.Count(history));
    }

    [Fact]
    public void Missing_event_is_found()
    {
        var history = Correct();
        history.Add("late", new SeenStart(At(1)));
        history.Add("late", Event(4, "c", Resource, 7));
        history.Add("late", Event(7, "d", Resource, 9));
        RequireBroken(history, "acknowledged events reach each reader: late misses b at e-2");
    }

    [Fact]
    public void Event_before_the_start_of_a_stream_may_be_missing()
    {
        var history = Correct();
        history.Add("late", new SeenStart(At(7)));
        Assert.Empty(HistoryChecker.Check(history));
    }

    [Fact]
    public void Reset_excuses_the_events_before_its_position_only()
    {
        var history = Correct();
        history.Add("late", new SeenStart(At(0)));
        history.Add("late", new SeenReset(At(2), "trimmed"));
        history.Add("late", Event(4, "c", Resource, 7));
        history.Add("late", Event(7, "d", Resource, 9));
        Assert.Empty(HistoryChecker.Check(history));
        Assert.Equal(1, HistoryChecker.Count(history).Resets);

        history.Begin("x");
        history.Acknowledge("x", At(8));
        Assert.Contains("acknowledged events reach each reader: late misses x at e-8", HistoryChecker.Check(history));
    }

    [Fact]
    public void Reset_excuses_no_event_before_the_last_delivered_one()
    {
        var history = Correct();
        history.Add("late", new SeenStart(At(0)));
        history.Add("late", Event(2, "b"));
        history.Add("late", new SeenReset(At(9), "trimmed"));
        RequireBroken(history, "acknowledged events reach each reader: late misses a at e-1");
    }

    [Fact]
    public void Repeated_event_is_found()
    {
        var history = Correct();
        history.Add("one", Event(7, "d", Resource, 9));
        RequireBroken(history, "an event is delivered once: one has e-7 2 times", "a reader's positions grow: one has e-7 after e-7");
    }

    [Fact]
    public void Swapped_events_are_found()
    {
        var history = Correct();
        history.Add("swapped", new SeenStart(At(0)));
        foreach (var seen in (SeenEvent[])[Event(2, "b"), Event(1, "a"), Event(4, "c", Resource, 7), Event(7, "d", Resource, 9)])
            history.Add("swapped", seen);
        RequireBroken(history, "a reader's positions grow: swapped has e-1 after e-2");
    }

    [Fact]
    public void Another_epoch_without_a_reset_is_found()
    {
        var history = Correct();
        history.Add("one", new SeenEvent(new Place("f", 100), "e", "z"));
        history.Begin("z");
        RequireBroken(history, "a reader's positions grow: one has f-100 after e-7");
    }

    [Fact]
    public void Reused_position_is_found()
    {
        var history = Correct();
        history.Begin("z");
        history.Acknowledge("z", At(2));
        RequireBroken(history, "a position has one event: e-2 is b and z");
    }

    [Fact]
    public void Event_at_two_positions_is_found()
    {
        var history = Correct();
        history.Add("one", Event(8, "u"));
        history.Add("one", Event(9, "u"));
        RequireBroken(history, "an event has one position in an epoch: u is at e-8 and e-9");
    }

    [Fact]
    public void Two_acknowledged_positions_of_one_event_are_found()
    {
        var history = Correct();
        history.Acknowledge("d", At(8));
        Assert.Contains("answers: d was acknowledged at e-7 and at e-8", HistoryChecker.Check(history));
    }

    [Fact]
    public void Invented_event_is_found()
    {
        var history = Correct();
        history.Add("one", Event(8, "nobody"));
        RequireBroken(history, "only published events exist: nobody at e-8");
    }

    [Fact]
    public void Refused_event_that_exists_is_found()
    {
        var history = Correct();
        history.Add("one", Event(8, "r"));
        RequireBroken(history, "a refused event does not exist: r at e-8");
    }

    [Fact]
    public void Token_for_two_holders_is_found()
    {
        var history = Correct();
        history.Add(new Grant("worlds/2", "third", 9, 7 * Second, 8 * Second));
        RequireBroken(history, "tokens grow: token 9 was granted to second and third");
    }

    [Fact]
    public void Smaller_token_after_a_larger_one_is_found()
    {
        var history = Correct();
        history.Add(new Grant(Resource, "third", 8, 7 * Second, 8 * Second));
        RequireBroken(history, "tokens grow: worlds/1: token 8 was granted after 9");
    }

    [Fact]
    public void Acknowledged_write_after_a_newer_grant_is_found()
    {
        var history = Correct();
        history.Begin(new GuardedWrite("late", Resource, 7, 9 * Second));
        history.Acknowledge("late", At(20));
        AddToBoth(history, Event(20, "late", Resource, 7));
        var broken = HistoryChecker.Check(history);
        Assert.Contains("a former holder cannot write: late with token 7 came after a newer grant of worlds/1", broken);
        Assert.Contains("a former holder cannot write: late with token 7 came after its release", broken);
        Assert.Contains("writes are in the order of their tokens: late at e-20 with token 7 follows a write with 9", broken);
        Assert.Contains("a resource has one holder: one: late wrote with 7 at e-20 while 9 held worlds/1", broken);
    }

    [Fact]
    public void Second_holder_is_found()
    {
        var history = Correct();
        AddToBoth(history, new SeenEvent(At(20), "lease.granted", null, Resource, 11));
        RequireBroken(
            history,
            "a resource has one holder: one: worlds/1 was granted with 11 at e-20 while 9 held it",
            "a resource has one holder: two: worlds/1 was granted with 11 at e-20 while 9 held it"
        );
    }

    [Fact]
    public void Answer_that_no_client_may_get_is_found()
    {
        var history = Correct();
        history.Fault("500 internal_error");
        RequireBroken(history, "answers: 500 internal_error");
    }

    // Two holders in turn, two events, one unknown and one refused write, two readers.
    private static History Correct()
    {
        var history = new History();
        foreach (var id in (string[])["a", "b", "u", "r"])
            history.Begin(id);
        history.Refuse("r");
        history.Acknowledge("a", At(1));
        history.Acknowledge("b", At(2));
        history.Add(new Grant(Resource, "first", 7, 1 * Second, 2 * Second));
        history.Begin(new GuardedWrite("c", Resource, 7, 2 * Second));
        history.Acknowledge("c", At(4));
        history.Add(new Release(Resource, 7, 4 * Second));
        history.Add(new Grant(Resource, "second", 9, 5 * Second, 6 * Second));
        history.Begin(new GuardedWrite("d", Resource, 9, 6 * Second));
        history.Acknowledge("d", At(7));
        AddToBoth(
            history,
            new SeenStart(At(0)),
            Event(1, "a"),
            Event(2, "b"),
            new SeenEvent(At(3), "lease.granted", null, Resource, 7),
            Event(4, "c", Resource, 7),
            new SeenEvent(At(5), "lease.released", null, Resource, 7),
            new SeenEvent(At(6), "lease.granted", null, Resource, 9),
            Event(7, "d", Resource, 9)
        );
        return history;
    }

    private static void AddToBoth(History history, params Seen[] all)
    {
        foreach (var seen in all)
        {
            history.Add("one", seen);
            history.Add("two", seen);
        }
    }

    private static void RequireBroken(History history, params string[] expected) => Assert.Equal(expected, HistoryChecker.Check(history));

    private static SeenEvent Event(long offset, string id, string? resource = null, long token = 0) =>
        new(At(offset), "e", id, resource, token);

    private static Place At(long offset) => new("e", offset);
}
