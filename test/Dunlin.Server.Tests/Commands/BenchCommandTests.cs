using System.Text.Json;
using Dunlin.Apps.Load;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Commands;

/// <summary>The command <c>bench</c>, with a small load.</summary>
public sealed class BenchCommandTests(OneServer one) : IClassFixture<OneServer>
{
    private static readonly string[] Small = ["--readers", "4", "--rate", "50", "--warmup", "0", "--seconds", "3"];

    private string[] Remote =>
        ["--server", $"{one.Server.Address}", "--token", Mint.User("load", ("subscribe", "load/**"), ("publish", "load/**"))];

    [Fact]
    public async Task Every_event_reaches_every_reader_and_figures_are_JSON()
    {
        string[] bench = ["bench", "--topic", "load/json", "--topics", "2", "--publishers", "2", "--stalled", "1", .. Small, .. Remote];
        var figures = await Cli.JsonAsync(bench);
        Assert.True(figures.GetProperty("deliveriesPerSecond").GetDouble() > 0);
        Assert.Equal(0, figures.GetProperty("missed").GetInt64());
        Assert.Equal(0, figures.GetProperty("repeated").GetInt64());
        Assert.True(figures.GetProperty("p99Ms").GetDouble() >= figures.GetProperty("p50Ms").GetDouble());
        Assert.Equal(JsonValueKind.Null, figures.GetProperty("kibPerConnection").ValueKind);
        Assert.NotEqual(0, figures.GetProperty("samples").GetArrayLength());
    }

    [Fact]
    public async Task Text_is_a_table_and_a_plot_without_progress()
    {
        var picture = Path.Combine(Path.GetTempPath(), $"dunlin-{Guid.NewGuid():N}.svg");
        string[] bench = ["bench", "--topic", "load/text", "--plot", picture, "--pid", $"{Environment.ProcessId}", .. Small, .. Remote];
        var (code, output, error) = await Cli.RunAsync(bench);
        Assert.True(code == 0, $"{code}: {error}{output}");
        Assert.Equal("", error);
        Assert.Matches("(?m)^deliveries +[1-9]", output);
        Assert.Matches("(?m)^server .*us of CPU per delivery", output);
        Assert.Matches("(?m)^   p50 .* ms  #", output);
        Assert.StartsWith("<svg", await File.ReadAllTextAsync(picture), StringComparison.Ordinal);
        File.Delete(picture);
    }

    [Fact]
    public async Task Two_runs_of_one_process_are_two_runs()
    {
        for (var run = 0; run < 2; run++)
            Assert.True(
                (await Cli.JsonAsync(["bench", "--topic", "load/again", .. Small, .. Remote])).GetProperty("refused").GetInt64() == 0
            );
    }

    [Fact]
    public async Task Without_a_delivery_the_reason_is_shown()
    {
        string[] reader = ["--server", $"{one.Server.Address}", "--token", Mint.User("reader", ("subscribe", "load/**"))];
        var (code, _, error) = await Cli.RunAsync(["bench", "--topic", "load/none", .. Small, .. reader]);
        Assert.Equal(1, code);
        Assert.Contains("No event was delivered. Forbidden", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://dunlin.invalid")]
    [InlineData("http://dunlin.invalid", "--yes-load", "other.invalid")]
    [InlineData("http://192.0.2.1:5090", "--yes-load", "http://192.0.2.1:5090")]
    public async Task Another_machine_is_not_loaded_without_its_host_name(string url, params string[] arguments)
    {
        var (code, output, error) = await Cli.RunAsync(["bench", "--server", url, "--token", "x", .. arguments]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("--yes-load", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--readers", "-1")]
    [InlineData("--publishers", "0")]
    [InlineData("--seconds", "0")]
    [InlineData("--rate", "-5")]
    [InlineData("--size", "many")]
    public async Task A_wrong_number_exits_with_2(string option, string value)
    {
        var (code, _, error) = await Cli.RunAsync(["bench", option, value, .. Remote]);
        Assert.Equal(2, code);
        Assert.Contains(option, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_server_exits_with_3_and_a_refusal_with_1()
    {
        var nothing = $"http://127.0.0.1:{ServerProcess.FreePort()}";
        Assert.Equal(3, (await Cli.RunAsync("bench", "--server", nothing, "--token", "x")).Code);
        var (code, _, error) = await Cli.RunAsync(["bench", "--topic", "other", .. Small, .. Remote]);
        Assert.Equal(1, code);
        Assert.Contains("A stream of 'other' was refused, 0 of 4 streams are open: 403", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_readers_than_the_server_allows_are_an_error()
    {
        var (code, _, error) = await Cli.RunAsync(["bench", "--topic", "load/many", "--readers", "51", .. Remote]);
        Assert.Equal(1, code);
        Assert.Contains(" of 51 streams are open: 429", error, StringComparison.Ordinal);
        Assert.Contains("The limit is 50 open streams for one user.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_at_the_end_of_a_run_is_no_exception()
    {
        using var stop = new CancellationTokenSource();
        using var http = new HttpClient(new RefusesAtTheEnd(stop)) { BaseAddress = new Uri("http://127.0.0.1/") };
        var tally = new Tally();
        await new Reader(http, 1, "load/many", tally).RunAsync(() => { }, stop.Token);
        Assert.Equal(0, tally.Reconnects);
    }

    /// <summary>Ends the run before the answer, as another reader that was refused does.</summary>
    private sealed class RefusesAtTheEnd(CancellationTokenSource stop) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await stop.CancelAsync();
            throw new HttpRequestException("429");
        }
    }
}
