using Dunlin.Hosting;
using Dunlin.Journal;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Mercure.Tests.Suite;

/// <summary>Retention removes updates that readers still name. The restart empties the memory of the node, which still has them.</summary>
public sealed class RemovedUpdateTests
{
    private static async Task<(HubNodes Hub, string Removed)> StartAsync(bool hasOwnId)
    {
        var hub = await HubNodes.StartAsync(
            static (dunlin, folder) =>
                dunlin
                    .AddSqlite(Path.Combine(folder, "hub.db"))
                    .Services.Configure<RetentionOptions>(static options =>
                        (options.Default.MaxAge, options.TrimInterval) = (TimeSpan.FromMinutes(1), TimeSpan.Zero)
                    ),
            two: false
        );
        var removed = await hub.PublishAsync(hasOwnId ? [("topic", "a"), ("data", "1"), ("id", "urn:1")] : [("topic", "a"), ("data", "1")]);
        hub.Time.Advance(TimeSpan.FromMinutes(2));
        await hub.PublishAsync(("topic", "a"), ("data", "2"));
        Assert.Equal(1, await hub.First.Journal.TrimAsync(default));
        await hub.First.RestartAsync();
        return (hub, removed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_id_of_a_removed_update_answers_earliest_and_the_rest(bool hasOwnId)
    {
        var (hub, removed) = await StartAsync(hasOwnId);
        await using var disposed = hub;
        await using var reader = await hub.OpenAsync("match=a", lastEventId: removed);
        Assert.Equal("earliest", Assert.Single(reader.Response.Headers.GetValues("Mercure-Last-Event-ID")));
        await hub.PublishAsync(("topic", "a"), ("data", "3"));
        Assert.Equal(["2", "3"], (await reader.NextAsync(2)).Select(update => update.Data));
    }

    // A stream of the engine would get dunlin.reset here.
    [Theory]
    [InlineData("match=a")]
    [InlineData("match=*")]
    public async Task A_stream_from_the_oldest_update_has_no_reset_after_a_removal(string query)
    {
        var (hub, _) = await StartAsync(hasOwnId: false);
        await using var disposed = hub;
        await using var reader = await hub.OpenAsync(query + "&last_event_id=earliest");
        var update = await reader.NextAsync();
        Assert.Equal(("2", "message"), (update.Data, update.EventType));
    }
}
