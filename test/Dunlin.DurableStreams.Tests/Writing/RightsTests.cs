using Dunlin.DurableStreams.Tests.Support;

namespace Dunlin.DurableStreams.Tests.Writing;

/// <summary>Streams follow the policies of their topics.</summary>
public sealed class RightsTests
{
    [Theory]
    [InlineData("PUT", "")]
    [InlineData("POST", "")]
    [InlineData("DELETE", "")]
    [InlineData("GET", "")]
    [InlineData("HEAD", "")]
    [InlineData("GET", "?offset=-1&live=sse")]
    [InlineData("GET", "?offset=now&live=long-poll")]
    public async Task Requests_without_a_right_are_refused(string method, string query)
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", "/streams/alice/notes", "secret")).Is(201);
        var body = method == "POST" ? "x" : null;
        (await host.SendAsync(method, "/streams/alice/notes" + query, body, user: "")).Is(401);
        var refused = (await host.SendAsync(method, "/streams/alice/notes" + query, body, user: "bob")).Is(403);
        Assert.DoesNotContain("secret", refused.Text, StringComparison.Ordinal);
        Assert.Equal("nosniff", refused["X-Content-Type-Options"]);
        Assert.Equal("secret", (await host.SendAsync("GET", "/streams/alice/notes")).Text);
    }

    [Fact]
    public async Task A_reader_without_the_right_to_publish_cannot_write()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", "/streams/public/news", "x")).Is(403);
        (await host.SendAsync("GET", "/streams/public/news")).Is(404);
    }

    [Fact]
    public async Task A_fork_needs_the_right_to_read_its_source()
    {
        await using var host = await StreamHost.StartAsync();
        (await host.SendAsync("PUT", "/streams/alice/notes", "secret")).Is(201);
        (await host.SendAsync("PUT", "/streams/bob/copy", user: "bob", headers: ("Stream-Forked-From", "/streams/alice/notes"))).Is(403);
        (await host.SendAsync("GET", "/streams/bob/copy", user: "bob")).Is(404);
    }
}
