using System.Net;
using System.Net.Sockets;
using System.Text;
using Dunlin.Outbound;
using Dunlin.TestKit;

namespace Dunlin.AspNetCore.Tests.Outbound;

/// <summary>Requests whose URL a user chose, with real sockets.</summary>
public sealed class OutboundTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("https://example.com/x", true)]
    [InlineData("https://example.com./x", true)]
    [InlineData("https://8.8.8.8/", true)]
    [InlineData("https://10.0.0.1/", false)]
    [InlineData("https://0x7f000001/", false)]
    [InlineData("https://[::ffff:127.0.0.1]/", false)]
    [InlineData("https://[fd00::1]/", false)]
    [InlineData("https://localhost/", false)]
    [InlineData("https://a.localhost/", false)]
    [InlineData("https://LOCALHOST./", false)]
    [InlineData("https://printer/", false)]
    [InlineData("https://printer.local/", false)]
    [InlineData("https://a.b.internal/", false)]
    public void Hosts_are_refused_without_resolving_them(string url, bool expected) =>
        Assert.Equal(expected, new OutboundRules([]).AllowsHost(new Uri(url)));

    [Fact]
    public void An_allowed_network_allows_local_names_and_its_addresses()
    {
        var rules = new OutboundRules(["10.1.0.0/16"]);
        Assert.True(rules.AllowsHost(new Uri("https://printer.local/")));
        Assert.True(rules.AllowsHost(new Uri("https://10.1.2.3/")));
        Assert.False(rules.AllowsHost(new Uri("https://10.2.2.3/")));
        Assert.False(rules.AllowsHost(new Uri("https://localhost/")));
    }

    [Theory]
    [InlineData("10.1.0.0")]
    [InlineData("10.1.0.1/8/8")]
    [InlineData("intranet")]
    public void An_invalid_network_is_named_in_the_error(string network) =>
        Assert.Contains(
            $"'{network}'",
            Assert.Throws<FormatException>(() => new OutboundRules([network])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task A_name_that_changes_its_address_is_checked_at_each_connection()
    {
        using var site = new Site(Ok);
        var answers = new Queue<IPAddress[]>([
            [IPAddress.Loopback],
            [IPAddress.Parse("127.0.0.2")],
            [IPAddress.Loopback],
        ]);
        using var client = new HttpClient(
            OutboundHandler.Create(new OutboundRules(["127.0.0.1/32"]), (_, _) => Task.FromResult(answers.Dequeue()))
        );
        var url = new Uri($"http://rebinding.example.com:{site.Port}/");
        Assert.Equal("ok", await client.GetStringAsync(url, TestContext.Current.CancellationToken));
        Assert.True(IsRefusal(await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetStringAsync(url))));
        Assert.Equal("ok", await client.GetStringAsync(url, TestContext.Current.CancellationToken));
        Assert.Empty(answers);
        Assert.Equal(2, site.Accepted);
    }

    [Fact]
    public async Task A_name_with_one_refused_address_is_refused()
    {
        using var site = new Site(Ok);
        using var client = new HttpClient(
            OutboundHandler.Create(
                new OutboundRules(["127.0.0.1/32"]),
                static (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.Parse("10.0.0.1")])
            )
        );
        var url = new Uri($"http://two.example.com:{site.Port}/");
        Assert.True(IsRefusal(await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetStringAsync(url))));
        Assert.Equal(0, site.Accepted);
    }

    [Fact]
    public async Task A_name_without_an_address_fails_but_is_not_refused()
    {
        using var client = new HttpClient(OutboundHandler.Create(new OutboundRules([]), static (_, _) => Task.FromResult<IPAddress[]>([])));
        var error = await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetStringAsync(new Uri("https://none.example.com/")));
        Assert.False(IsRefusal(error));
    }

    [Fact]
    public async Task A_redirect_to_a_private_address_is_returned_and_not_followed()
    {
        using var site = new Site(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"
        );
        using var sender = new OutboundSender(new OutboundRules(["127.0.0.0/8"]), TimeProvider.System);
        var result = await SendAsync(sender, site.Port);
        Assert.Equal((307, false), (result.Status, result.IsSuccess));
        Assert.Equal(1, site.Accepted);
    }

    [Fact]
    public async Task A_receiver_that_never_answers_ends_at_the_time_limit()
    {
        using var site = new Site("");
        var time = new ManualTime();
        using var sender = new OutboundSender(new OutboundRules(["127.0.0.0/8"]), time);
        var sending = SendAsync(sender, site.Port);
        await site.Requested;
        Assert.False(sending.IsCompleted);
        time.Advance(Limit);
        var result = await sending;
        Assert.Equal((0, "no answer within 10 s"), (result.Status, result.Fault));
    }

    [Fact]
    public async Task An_endless_answer_is_cut_at_64_KiB()
    {
        using var site = new Site("HTTP/1.1 200 OK\r\n\r\n" + new string('x', 1024 * 1024));
        using var sender = new OutboundSender(new OutboundRules(["127.0.0.0/8"]), TimeProvider.System);
        var result = await SendAsync(sender, site.Port);
        Assert.Equal((200, 64 * 1024), (result.Status, result.Body.Length));
    }

    private static async Task<OutboundResult> SendAsync(OutboundSender sender, int port)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://127.0.0.1:{port}/"));
        return await sender.SendAsync(request, Limit, TestContext.Current.CancellationToken);
    }

    private static bool IsRefusal(Exception? error) =>
        error is OutboundRefusedException || (error is not null && IsRefusal(error.InnerException));

    /// <summary>Answers every request with the same bytes.</summary>
    private sealed class Site : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly byte[] _answer;
        private int _accepted;

        public Site(string answer)
        {
            _answer = Encoding.ASCII.GetBytes(answer);
            _listener.Start();
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Accepted => Volatile.Read(ref _accepted);

        public Task Requested => _requested.Task;

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var socket = await _listener.AcceptSocketAsync();
                    Interlocked.Increment(ref _accepted);
                    await AnswerAsync(socket);
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The test has ended.
            }
        }

        private async Task AnswerAsync(Socket socket)
        {
            try
            {
                await socket.ReceiveAsync(new byte[4096]);
                _requested.TrySetResult();
                await socket.SendAsync(_answer);
                // Waits for the end of the client if there is nothing to send.
                while (_answer.Length == 0 && await socket.ReceiveAsync(new byte[4096]) > 0) { }
            }
            catch (SocketException)
            {
                // The client closed the connection.
            }
        }
    }
}
