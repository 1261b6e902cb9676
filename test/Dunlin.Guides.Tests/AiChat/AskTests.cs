namespace Dunlin.Guides.Tests.AiChat;

/// <summary>Questions to examples/ai-chat: repeated, refused, and of other users.</summary>
public sealed class AskTests
{
    [Fact]
    public async Task Repeated_question_returns_the_first_one_and_asks_once()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        var first = (await ann.AskAsync("ask-1", "Hello")).Ok();
        await chat.Model.WhenOpenAsync(1);
        var again = (await ann.AskAsync("ask-1", "Hello")).Ok();
        Assert.Equal(first.GetProperty("question").ToString(), again.GetProperty("question").ToString());
        await chat.Model.GrantAllAsync();
        await stream.WhenStateAsync("done");
        Assert.Equal("done", (await ann.AskAsync("ask-1", "Hello")).Ok().GetProperty("answer").GetProperty("state").GetString());
        await chat.Model.WhenOpenAsync(0);
        Assert.Equal(2, (await ann.ReadAsync()).Count);
    }

    [Fact]
    public async Task Other_question_with_the_same_id_is_refused()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        (await ann.AskAsync("ask-1", "Hello")).Ok();
        (await ann.AskAsync("ask-1", "Good bye")).Is(409, "conflict");
    }

    [Fact]
    public async Task Second_question_is_refused_while_the_model_answers()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        (await ann.AskAsync("ask-1", "Hello")).Ok();
        (await ann.AskAsync("ask-2", "Are you there?")).Is(409, "conflict");
        (await ann.AskAsync("ask-2", "In another conversation", "chat-2")).Ok();
    }

    [Fact]
    public async Task Conversations_are_listed_by_their_first_questions_newest_first()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        (await ann.AskAsync("ask-1", "Old", "chat-1")).Ok();
        (await ann.AskAsync("ask-1", "New", "chat-2")).Ok();
        var list = (await ann.GetAsync("/api/chats")).Ok();
        Assert.Equal(["New", "Old"], list.EnumerateArray().Select(entry => entry.GetProperty("title").GetString()));
    }

    [Fact]
    public async Task Nobody_else_reads_or_stops_a_conversation()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        using var bob = await chat.SignInAsync("bob");
        (await ann.AskAsync("ask-1", "Hello")).Ok();
        Assert.Empty(await bob.ReadAsync());
        (await bob.StopAsync("ask-1-answer")).Is(404, "not_found");
        (await bob.GetAsync("/dunlin/v1/events?topic=chats/ann/chat-1")).Is(403, "forbidden");
        (await bob.GetAsync("/dunlin/v1/events?topic=chats/ann/*")).Is(403, "forbidden");
        (await bob.GetAsync("/dunlin/v1/events?topic=chats/*/chat-1")).Is(403, "forbidden");
    }

    [Fact]
    public async Task Request_without_a_sign_in_is_refused()
    {
        await using var chat = await ChatHost.StartAsync();
        using var nobody = new ChatDevice(chat.Host.Client(), "ann");
        (await nobody.AskAsync("ask-1", "Hello")).Is(401, "not_signed_in");
        (await nobody.GetAsync("/api/chats/chat-1")).Is(401, "not_signed_in");
        (await nobody.GetAsync("/dunlin/v1/events?topic=chats/ann/*")).Is(401, "not_signed_in");
    }

    [Theory]
    [InlineData("ask-1", "", 400)]
    [InlineData("a", "Hello", 400)]
    [InlineData("ask..1", "Hello", 400)]
    public async Task Question_with_a_bad_id_or_no_text_is_refused(string id, string text, int status)
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        (await ann.AskAsync(id, text)).Is(status, "invalid_field");
        Assert.Empty(await ann.ReadAsync());
    }

    [Fact]
    public async Task Question_over_the_limit_is_refused()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        (await ann.AskAsync("ask-1", new string('x', 8_001))).Is(400, "invalid_field");
        (await ann.AskAsync("ask-1", new string('x', 70_000))).Is(413, "too_large");
    }

    [Fact]
    public async Task Stop_and_retry_of_anything_but_an_answer_are_refused()
    {
        await using var chat = await ChatHost.StartAsync();
        using var ann = await chat.SignInAsync("ann");
        await using var stream = await ann.FollowAsync();
        (await ann.AskAsync("ask-1", "Hello")).Ok();
        (await ann.StopAsync("ask-1")).Is(404, "not_found");
        (await ann.RetryAsync("ask-7-answer")).Is(404, "not_found");
        await chat.Model.GrantAllAsync();
        await stream.WhenStateAsync("done");
        (await ann.RetryAsync("ask-1-answer")).Is(409, "conflict");
    }
}
