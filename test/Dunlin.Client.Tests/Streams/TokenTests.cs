using System.Net;
using System.Net.Sockets;
using Dunlin.Client.Tests.Support;

namespace Dunlin.Client.Tests.Streams;

/// <summary>Requests and streams share one token.</summary>
public sealed class TokenTests
{
    [Fact]
    public async Task Many_refused_requests_cause_one_renewal()
    {
        var calls = 0;
        using var script = new Script(options => options.GetToken = _ => new ValueTask<string?>($"t{Interlocked.Increment(ref calls)}"));
        var asking = Enumerable.Range(0, 20).Select(_ => script.Client.GetStatsAsync()).ToList();
        var requests = new List<ScriptedRequest>();
        for (var i = 0; i < asking.Count; i++)
            requests.Add(await script.Server.NextAsync());
        Assert.All(requests, request => Assert.Equal("Bearer t1", request.Headers["Authorization"]));
        requests.ForEach(static request => request.Answer(new HttpResponseMessage(HttpStatusCode.Unauthorized)));
        for (var i = 0; i < asking.Count; i++)
        {
            var again = await script.Server.NextAsync();
            Assert.Equal("Bearer t2", again.Headers["Authorization"]);
            again.Answer(new HttpResponseMessage { Content = new StringContent("""{"userId":"ann","connections":[]}""") });
        }
        await Task.WhenAll(asking);
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task Fixed_token_is_not_sent_again_after_401()
    {
        using var script = new Script(options => options.Token = "fixed");
        var asking = script.Client.GetStatsAsync();
        (await script.Server.NextAsync()).Answer(new HttpResponseMessage(HttpStatusCode.Unauthorized));
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => asking);
        Assert.Equal((ProblemKind.SignedOut, ProblemClass.Stop), (error.Problem.Kind, error.Problem.Class));
        Assert.Equal(1, script.Server.Received);
    }

    [Fact]
    public async Task GetToken_that_throws_fails_the_request_with_its_cause()
    {
        using var script = new Script(options =>
            options.GetToken = static _ => throw new InvalidOperationException("The vault is sealed.")
        );
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => script.Client.GetStatsAsync());
        Assert.True(error.Problem.IsTemporary);
        Assert.Equal("The vault is sealed.", error.InnerException?.Message);
    }

    [Fact]
    public async Task Token_with_a_line_break_stops_requests_and_streams()
    {
        using var script = new Script(options => options.GetToken = static _ => new ValueTask<string?>("t1\nX-Forged: 1"));
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => script.Client.GetStatsAsync());
        Assert.Equal("invalidToken", error.Problem.Code);
        await using var reader = Reader.Start(script.Client, ["a"]);
        await Assert.ThrowsAsync<DunlinClientException>(() => reader.Ended.WithinLimit());
        Assert.Equal(0, script.Server.Received);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("schlüssel")]
    public async Task Invalid_idempotency_key_is_refused_before_a_request(string key)
    {
        using var script = new Script();
        await Assert.ThrowsAsync<ArgumentException>(() => script.Client.PublishAsync(OutgoingEvent.FromJson("a", "e", "1"), key));
        Assert.Equal(0, script.Server.Received);
    }

    [Fact]
    public async Task Answer_that_is_no_JSON_is_a_clear_error()
    {
        using var script = new Script();
        var asking = script.Client.GetStatsAsync();
        (await script.Server.NextAsync()).Answer(new HttpResponseMessage { Content = new StringContent("<html></html>") });
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => asking);
        Assert.Equal((ProblemKind.Unexpected, 200), (error.Problem.Kind, error.Problem.Status));
    }

    [Fact]
    public async Task Request_without_an_answer_fails_after_its_time_limit()
    {
        using var script = new Script(options => options.RequestTimeout = TimeSpan.FromSeconds(3));
        var asking = script.Client.GetStatsAsync();
        await script.Server.NextAsync();
        script.Time.Advance(TimeSpan.FromSeconds(3));
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => asking.WithinLimit());
        Assert.Equal((ProblemKind.Network, "timeout"), (error.Problem.Kind, error.Problem.Code));
    }

    [Fact]
    public async Task Error_of_a_socket_is_temporary()
    {
        using var http = new HttpClient(new BrokenHandler());
        using var client = new DunlinClient(new DunlinClientOptions { Address = new Uri("http://server.test") }, http);
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => client.GetStatsAsync());
        Assert.Equal((ProblemKind.Network, ProblemClass.Retry), (error.Problem.Kind, error.Problem.Class));
        Assert.True(error.Problem.IsTemporary);
    }

    [Fact]
    public async Task Cancelled_request_throws_the_cancellation()
    {
        using var script = new Script();
        using var cancel = new CancellationTokenSource();
        var asking = script.Client.GetStatsAsync(cancel.Token);
        await script.Server.NextAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WithinLimit());
    }

    // HttpClient throws this if a connection breaks while it is being established.
    private sealed class BrokenHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new SocketException((int)SocketError.NotConnected);
    }
}
