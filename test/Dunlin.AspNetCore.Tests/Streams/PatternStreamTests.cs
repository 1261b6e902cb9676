using System.Text.Json;
using Dunlin.Fanout;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Streams;

public sealed class PatternStreamTests
{
    [Theory]
    [InlineData("topic=teams/7/**&topic=other")]
    [InlineData("topic=teams%2F7%2F%2A%2A&topic=other&topic=teams/7/**")]
    public async Task G2_A_pattern_stream_resumes_and_receives_new_topics(string query)
    {
        await using var host = await EngineHost.StartAsync();
        string last;
        await using (var reader = await host.OpenAsync("/dunlin/v1/events?" + query))
        {
            await reader.NextAsync();
            await host.PublishAsync("teams/7/chat", 1);
            last = (await reader.NextAsync()).EventId!;
        }
        await host.PublishAsync("teams/7/new", 2);
        await host.PublishAsync("teams/70/new", "not mine");
        await using var resumed = await host.OpenAsync("/dunlin/v1/events?" + query, lastEventId: last);
        await resumed.NextAsync();
        await host.PublishAsync("teams/7/newer", 3);
        await host.PublishAsync("other", 4);
        Assert.Equal(["2", "3", "4"], (await resumed.NextAsync(3)).Select(item => item.Data));
    }

    [Theory]
    [InlineData("users/1*", "'*' must be a whole segment")]
    [InlineData("a/**/b", "'**' must be the last segment")]
    [InlineData("a//*", "a segment is empty")]
    [InlineData("a/%25%20/*", "a segment is empty or has other characters")]
    public async Task What_is_no_pattern_is_refused_with_the_reason(string topic, string reason)
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        foreach (var path in new[] { "events", "journal" })
        {
            using var response = await client.GetAsync($"/dunlin/v1/{path}?topic={topic}", HttpCompletionOption.ResponseHeadersRead);
            var problem = await HttpAssert.ProblemAsync(response, 400, "invalid_topic");
            Assert.Contains(reason, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("**")]
    [InlineData("*")]
    [InlineData("dunlin/**")]
    [InlineData("secret/**")]
    [InlineData("plain/**")]
    [InlineData("users/bob/**")]
    public async Task G4_A_pattern_without_full_read_permission_is_refused_and_named(string pattern)
    {
        await using var host = await EngineHost.StartAsync(engine: dunlin => dunlin.AddAccessPolicy<PlainPolicy>("plain"));
        host.Refused.UnionWith(["secret/**", "users/bob/**"]);
        using var client = host.Client();
        foreach (var path in new[] { "events", "journal" })
        {
            using var response = await client.GetAsync(
                $"/dunlin/v1/{path}?topic=open&topic={pattern}",
                HttpCompletionOption.ResponseHeadersRead
            );
            var problem = await HttpAssert.ProblemAsync(response, 403, "forbidden");
            Assert.Contains($"'{pattern}'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Equal(pattern, problem.GetProperty("topic").GetString());
        }
        Assert.Equal(0, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task G4_A_pattern_is_checked_again_and_revoked_when_permissions_change()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=open&topic=teams/7/**");
        await reader.NextAsync();
        host.Refused.Add("teams/7/**");
        host.Services.GetRequiredService<AccessChanges>().RightsChanged("ann");
        var revoked = await reader.NextAsync();
        Assert.Equal(("dunlin.revoked", """{"topics":["teams/7/**"]}"""), (revoked.EventType, revoked.Data));
        await host.PublishAsync("teams/7/chat", "secret");
        await host.PublishAsync("open", "open");
        Assert.Equal("\"open\"", (await reader.NextAsync()).Data);
    }

    [Fact]
    public async Task Patterns_count_and_appear_as_topics()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        var many = string.Join('&', Enumerable.Range(0, 33).Select(i => $"topic=a{i}&topic=b{i}/*"));
        await HttpAssert.ProblemAsync(await client.GetAsync("/dunlin/v1/events?" + many), 400, "too_many_topics");
        many = string.Join('&', Enumerable.Range(0, 65).Select(i => $"topic=b{i}/*"));
        await HttpAssert.ProblemAsync(await client.GetAsync("/dunlin/v1/journal?" + many), 400, "too_many_topics");
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=a&topic=b/*");
        var stats = JsonDocument.Parse(await client.GetStringAsync("/dunlin/v1/stats")).RootElement;
        Assert.Equal(
            ["a", "b/*"],
            stats.GetProperty("connections")[0].GetProperty("topics").EnumerateArray().Select(topic => topic.GetString())
        );
    }

    [Fact]
    public async Task A_journal_page_accepts_patterns()
    {
        await using var host = await EngineHost.StartAsync();
        foreach (var topic in new[] { "a/1", "b", "a/2", "c", "a/1/x" })
            await host.PublishAsync(topic, topic);
        using var client = host.Client();
        var page = JsonDocument.Parse(await client.GetStringAsync("/dunlin/v1/journal?topic=b&topic=a/*")).RootElement;
        Assert.Equal(
            ["a/1", "b", "a/2"],
            page.GetProperty("events").EnumerateArray().Select(item => item.GetProperty("topic").GetString())
        );
    }

    [Fact]
    public async Task A_pattern_reader_is_present_at_no_topic()
    {
        await using var host = await EngineHost.StartAsync();
        await using var reader = await host.OpenAsync("/dunlin/v1/events?topic=teams/7/**&topic=lobby&presence=true");
        using var client = host.Client();
        Assert.Equal(0, await PresentAsync("teams/7/chat"));
        Assert.Equal(1, await PresentAsync("lobby"));
        await HttpAssert.ProblemAsync(await client.GetAsync("/dunlin/v1/presence?topic=teams/7/**"), 400, "invalid_topic");

        async Task<int> PresentAsync(string topic) =>
            JsonDocument
                .Parse(await client.GetStringAsync("/dunlin/v1/presence?topic=" + topic))
                .RootElement.GetProperty("present")
                .GetArrayLength();
    }

    private sealed class PlainPolicy : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
    }
}
