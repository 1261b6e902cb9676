using System.Net.ServerSentEvents;
using AiChat.Answers;
using AiChat.Chats;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.TestKit;
using FakeModel;

namespace Dunlin.Guides.Tests.AiChat;

/// <summary>Answers of examples/ai-chat: written, stopped, failed, continued.</summary>
public sealed class AnswerTests
{
    private const string Question = "Why do flocks turn at once?";
    private const string Answer = "ask-1-answer";
    private static readonly string Whole = FakeText.AnswerTo(Question);

    [Fact]
    public async Task Text_of_the_events_is_the_text_of_the_row()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        var asked = (await ann.AskAsync("ask-1", Question)).Ok();
        Assert.Equal("writing", asked.GetProperty("answer").GetProperty("state").GetString());
        await chat.Model.GrantAsync(4);
        await stream.WhenTextAsync(ModelUnderTest.Start(Question, 4));
        await chat.Model.GrantAllAsync();
        await stream.WhenStateAsync(TurnState.Done);

        Assert.Equal(Whole, AnswerEvents.TextOf(stream.Seen));
        var turns = await ann.ReadAsync();
        Assert.Equal([("user", Question, "done"), ("assistant", Whole, "done")], turns.Select(turn => (turn.Role, turn.Text, turn.State)));
        Assert.Equal(turns[1].Version, turns.Max(turn => turn.Version));
    }

    [Fact]
    public async Task Every_device_of_the_user_receives_the_same_answer()
    {
        await using var chat = await ChatHost.StartAsync();
        using var laptop = await chat.SignInAsync("ann");
        using var phone = await chat.SignInAsync("ann");
        await using var first = await laptop.FollowAsync();
        await using var second = await phone.FollowAsync();
        (await laptop.AskAsync("ask-1", Question)).Ok();
        await chat.Model.GrantAllAsync();
        await first.WhenStateAsync(TurnState.Done);
        await second.WhenStateAsync(TurnState.Done);
        Assert.Equal(
            first.Seen.Skip(1).Select(item => (item.EventId, item.Data)),
            second.Seen.Skip(1).Select(item => (item.EventId, item.Data))
        );
    }

    [Fact]
    public async Task Stop_ends_the_request_to_the_model_and_adds_no_token()
    {
        await using var chat = await ChatHost.StartAsync();
        using var laptop = await chat.SignInAsync("ann");
        using var phone = await chat.SignInAsync("ann");
        await using var stream = await laptop.FollowAsync();
        (await laptop.AskAsync("ask-1", Question)).Ok();
        await chat.Model.GrantAsync(5);
        var start = ModelUnderTest.Start(Question, 5);
        await stream.WhenTextAsync(start);

        // Nobody moves the clock of the server: the stop waits for no interval.
        (await phone.StopAsync(Answer)).Ok();
        await chat.Model.WhenOpenAsync(0);
        await chat.Model.GrantAllAsync();
        await stream.WhenStateAsync(TurnState.Stopped);
        (await phone.StopAsync(Answer)).Ok();
        (await laptop.AskAsync("ask-2", "And now?")).Ok();
        await stream.WhenStateAsync(TurnState.Done);

        var stopped = (await laptop.ReadAsync())[1];
        Assert.Equal((start, TurnState.Stopped), (stopped.Text, stopped.State));
        Assert.Single(stream.Seen, item => item.Data.Contains("\"stopped\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Retry_continues_a_stopped_answer_with_its_next_token()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        (await ann.AskAsync("ask-1", Question)).Ok();
        await chat.Model.GrantAsync(5);
        await stream.WhenTextAsync(ModelUnderTest.Start(Question, 5));
        (await ann.StopAsync(Answer)).Ok();
        await chat.Model.WhenOpenAsync(0);
        (await ann.RetryAsync(Answer)).Ok();
        (await ann.RetryAsync(Answer)).Ok();
        await chat.Model.GrantAllAsync();
        await stream.WhenStateAsync(TurnState.Done);
        Assert.Equal(Whole, AnswerEvents.TextOf(stream.Seen));
        Assert.Equal(Whole, (await ann.ReadAsync())[1].Text);
    }

    [Fact]
    public async Task Broken_connection_to_the_model_fails_the_answer()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        (await ann.AskAsync("ask-1", Question)).Ok();
        await chat.Model.GrantAsync(3);
        await stream.WhenTextAsync(ModelUnderTest.Start(Question, 3));
        await chat.Model.CutAsync();
        var failed = await stream.WhenStateAsync(TurnState.Failed);
        Assert.Equal("The connection to the model failed.", failed.GetProperty("error").GetString());

        (await ann.RetryAsync(Answer)).Ok();
        await chat.Model.GrantAllAsync();
        await stream.WhenStateAsync(TurnState.Done);
        Assert.Equal(Whole, AnswerEvents.TextOf(stream.Seen));
        Assert.Null((await ann.ReadAsync())[1].Error);
    }

    [Fact]
    public async Task Refusal_of_the_model_names_its_status()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        await chat.Model.RefuseNextAsync(503);
        (await ann.AskAsync("ask-1", Question)).Ok();
        var failed = await stream.WhenStateAsync(TurnState.Failed);
        Assert.Equal("The model refused to answer (503).", failed.GetProperty("error").GetString());
    }

    [Fact]
    public async Task Unreachable_model_fails_the_answer_and_keeps_the_question()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        await chat.Model.DisposeAsync();
        (await ann.AskAsync("ask-1", Question)).Ok();
        await stream.WhenStateAsync(TurnState.Failed);
        Assert.Equal([(Question, "done"), ("", "failed")], (await ann.ReadAsync()).Select(turn => (turn.Text, turn.State)));
    }

    [Fact]
    public async Task Silent_model_fails_the_answer_after_the_limit()
    {
        await using var chat = await ChatHost.StartAsync(("Model:MaxSilence", "00:00:05"));
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        (await ann.AskAsync("ask-1", Question)).Ok();
        await chat.Model.WhenOpenAsync(1);
        chat.Host.Time.Advance(TimeSpan.FromSeconds(5));
        var failed = await stream.WhenStateAsync(TurnState.Failed);
        Assert.Equal("The model sent nothing for 5 seconds.", failed.GetProperty("error").GetString());
        await chat.Model.WhenOpenAsync(0);
    }

    [Fact]
    public async Task Restarted_server_continues_the_answer_with_its_next_token()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        IReadOnlyList<SseItem<string>> before;
        string? last;
        await using (var stream = await ann.FollowAsync())
        {
            (await ann.AskAsync("ask-1", Question)).Ok();
            await chat.Model.GrantAsync(6);
            await stream.WhenTextAsync(ModelUnderTest.Start(Question, 6));
            (before, last) = (stream.Received, stream.LastId);
        }
        await chat.Host.RestartAsync();
        using var again = await chat.SignInAsync("ann");
        await using var resumed = await again.FollowAsync(last);
        await chat.Model.GrantAllAsync();
        await resumed.WhenStateAsync(TurnState.Done);
        Assert.Equal(Whole, AnswerEvents.TextOf(before.Concat(resumed.Seen)));
        Assert.Equal(Whole, (await again.ReadAsync())[1].Text);
    }

    [Fact]
    public async Task Lost_lease_refuses_the_batch_and_the_next_attempt_continues()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        (await ann.AskAsync("ask-1", Question)).Ok();
        await chat.Model.GrantAsync(3);
        var start = ModelUnderTest.Start(Question, 3);
        await stream.WhenTextAsync(start);
        var lease = AnswerHandler.LeaseOf(new TurnKey("ann", ChatDevice.Chat, Answer));
        await chat.Host.Store.WriteAsync(async (unit, ct) => await unit.Leases.ForceReleaseAsync(lease, cancellationToken: ct));
        await chat.Model.WhenOpenAsync(0);
        await chat.Model.GrantAllAsync();
        Assert.Equal((start, TurnState.Writing), ((await ann.ReadAsync())[1].Text, (await ann.ReadAsync())[1].State));

        // The job waits for its first delay, of at most two seconds.
        await chat.WhenJobAsync(Answer, JobState.Waiting);
        chat.Host.Time.Advance(TimeSpan.FromSeconds(2));
        await stream.WhenStateAsync(TurnState.Done);
        Assert.Equal(Whole, AnswerEvents.TextOf(stream.Seen));
    }
}
