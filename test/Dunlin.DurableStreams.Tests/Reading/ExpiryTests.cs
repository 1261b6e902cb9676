using Dunlin.DurableStreams.Tests.Support;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.DurableStreams.Tests.Reading;

/// <summary>Streams end by manual time.</summary>
public sealed class ExpiryTests
{
    private const string Notes = "/streams/alice/notes";

    [Fact]
    public async Task Reads_extend_a_time_to_live_and_head_does_not()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, "a", headers: ("Stream-TTL", "100"))).Is(201);
        host.Time.Advance(TimeSpan.FromSeconds(90));
        (await host.SendAsync("GET", Notes)).Is(200);
        host.Time.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal("100", (await host.SendAsync("HEAD", Notes)).Is(200)["Stream-TTL"]);
        host.Time.Advance(TimeSpan.FromSeconds(20));
        (await host.SendAsync("GET", Notes)).Is(404);
        (await host.SendAsync("POST", Notes, "b")).Is(404);
    }

    [Fact]
    public async Task An_expired_stream_frees_its_name_and_its_data()
    {
        await using var host = await StreamHost.StartAsync();
        var end = host.Time.GetUtcNow() + TimeSpan.FromMinutes(1);
        var answer = (await host.SendAsync("PUT", Notes, "old", headers: ("Stream-Expires-At", end.ToString("O")))).Is(201);
        Assert.NotNull(answer["Stream-Expires-At"]);
        host.Time.Advance(TimeSpan.FromMinutes(2));
        (await host.SendAsync("PUT", Notes, "new")).Is(201);
        Assert.Equal("new", (await host.SendAsync("GET", Notes)).Text);
        await host.Host.Journal.TrimAsync(CancellationToken.None);
        var page = await host.Host.Journal.ReadAsync(new JournalQuery(0, [TopicName.Parse("streams/alice/notes")]), CancellationToken.None);
        Assert.DoesNotContain(page.Events, entry => entry.Data.Span.SequenceEqual("old"u8));
    }

    [Theory]
    [InlineData("Stream-TTL", "-1")]
    [InlineData("Stream-TTL", "010")]
    [InlineData("Stream-TTL", "1e3")]
    [InlineData("Stream-Expires-At", "tomorrow")]
    public async Task Invalid_ends_get_400(string name, string value)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", Notes, "a", headers: (name, value))).Is(400);
        (await host.SendAsync("GET", Notes)).Is(404);
    }
}
