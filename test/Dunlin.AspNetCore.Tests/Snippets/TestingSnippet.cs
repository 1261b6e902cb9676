using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The tests of docs/guides/test-your-application.md, compiled and run. ReadmeTests holds the two against each other.</summary>
public sealed class TestingSnippet
{
    // <testing>
    [Fact]
    public async Task A_reader_resumes_after_a_restart_without_a_gap()
    {
        await using var host = await DunlinTestHost.StartAsync(options =>
            options.Dunlin = dunlin => dunlin.AddSqlite(Path.Combine(options.Folder, "app.db")).AddAccessPolicy<TeamAccess>("teams")
        );
        var stream = await host.OpenAsync("/dunlin/v1/events?topic=teams/7", user: "ann");
        using var bob = host.Client("bob");
        (
            await bob.SendJsonAsync(
                "POST",
                "/dunlin/v1/events",
                new
                {
                    topic = "teams/7",
                    type = "note",
                    data = 1,
                }
            )
        ).Ok();
        await stream.UntilAsync(item => item.EventType == "note");
        await stream.DisposeAsync();

        await host.RestartAsync();
        using var carol = host.Client("carol");
        (
            await carol.SendJsonAsync(
                "POST",
                "/dunlin/v1/events",
                new
                {
                    topic = "teams/7",
                    type = "note",
                    data = 2,
                }
            )
        ).Ok();

        await using var resumed = await host.OpenAsync("/dunlin/v1/events?topic=teams/7", user: "ann", lastEventId: stream.LastId);
        var next = await resumed.UntilAsync(item => item.EventType == "note");
        Assert.Equal("2", next.Data);
    }

    [Fact]
    public async Task A_request_without_a_user_is_refused()
    {
        await using var host = await DunlinTestHost.StartAsync();
        using var nobody = host.Client();
        var answer = await nobody.SendJsonAsync(
            "POST",
            "/dunlin/v1/events",
            new
            {
                topic = "teams/7",
                type = "note",
                data = 1,
            }
        );
        answer.Is(401, "not_signed_in");
    }

    // </testing>

    private sealed class TeamAccess : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

        public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
    }
}
