using Dunlin.Fanout;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Fanout;

public sealed class ShardLoadTests
{
    private readonly ManualTime _time = new();
    private readonly ShardLoad _load;

    public ShardLoadTests() => _load = new ShardLoad(_time);

    [Fact]
    public void The_lag_is_that_of_the_oldest_event_of_the_round()
    {
        Post(1);
        Advance(30);
        Post(1);
        _load.BeginRound();
        Advance(20);
        Assert.Equal(TimeSpan.FromMilliseconds(50), _load.EndRound(out _));
    }

    [Fact]
    public void A_round_without_events_has_no_lag()
    {
        _load.BeginRound();
        Advance(20);
        Assert.Null(_load.EndRound(out _));
        Assert.Equal((0, TimeSpan.Zero), _load.Expect(0));
    }

    [Fact]
    public void The_expected_lag_is_the_age_or_the_cost_of_all_events()
    {
        EndLongRound(); // 80 ms, so that the mean is 10 ms for an event
        Assert.Equal((0, TimeSpan.FromMilliseconds(30)), _load.Expect(3));
        Post(2);
        Assert.Equal((2, TimeSpan.FromMilliseconds(50)), _load.Expect(3));
        Advance(70);
        Assert.Equal((2, TimeSpan.FromMilliseconds(70)), _load.Expect(3));
    }

    [Fact]
    public void Answers_wait_until_a_long_round_opens_and_after_it_closes()
    {
        EndLongRound();
        Assert.False(_load.HoldsAnswers);
        Post(1);
        _load.BeginRound();
        Assert.True(_load.HoldsAnswers);
        var answer = Hold();
        Assert.Equal([answer], _load.Open());
        Assert.False(_load.HoldsAnswers);
        _load.Close();
        Assert.True(_load.HoldsAnswers);
    }

    [Fact]
    public void A_short_round_holds_no_answer()
    {
        Post(1);
        _load.BeginRound();
        Assert.False(_load.HoldsAnswers);
    }

    [Fact]
    public void Answers_wait_while_four_events_wait_for_the_next_round()
    {
        EndLongRound();
        Post(1);
        _load.BeginRound();
        _load.Open();
        Post(3);
        Assert.False(_load.HoldsAnswers);
        Post(1);
        Assert.True(_load.HoldsAnswers);
    }

    [Fact]
    public void An_answer_that_missed_the_opening_waits_for_the_next_round()
    {
        EndLongRound();
        Post(1);
        _load.BeginRound();
        _load.Open();
        _load.Close();
        var answer = Hold();
        Post(1);
        Advance(80);
        _load.EndRound(out var released);
        Assert.Null(released);
        _load.BeginRound();
        Assert.Equal([answer], _load.Open());
    }

    [Fact]
    public void The_last_round_releases_all_answers()
    {
        EndLongRound();
        Post(1);
        _load.BeginRound();
        _load.Open();
        _load.Close();
        var answer = Hold();
        _load.EndRound(out var released);
        Assert.Equal([answer], released);
        Assert.False(_load.HoldsAnswers);
    }

    [Fact]
    public void A_round_that_did_not_open_releases_its_answers()
    {
        EndLongRound();
        Post(1);
        _load.BeginRound();
        var answer = Hold();
        Post(1);
        _load.EndRound(out var released);
        Assert.Equal([answer], released);
    }

    private PacedAnswer Hold()
    {
        var answer = new PacedAnswer();
        _load.Hold(answer);
        return answer;
    }

    private void EndLongRound()
    {
        Post(1);
        _load.BeginRound();
        Advance(80);
        _load.EndRound(out _);
    }

    private void Post(int events) => _load.Post(events, _time.GetTimestamp());

    private void Advance(int milliseconds) => _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
}
