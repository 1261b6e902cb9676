using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary><c>dunlin serve --streams</c>: the option and its settings.</summary>
public sealed class DurableStreamTests
{
    [Fact]
    public async Task Server_answers_streams_only_if_told_to()
    {
        await using var plain = await TestServer.StartAsync();
        Assert.Equal(404, await StatusAsync(plain.Address, "/streams/a"));
        await using var server = await TestServer.StartAsync(("DurableStreams:Enabled", "true"), ("DurableStreams:Path", "/v1/stream"));
        Assert.Equal(401, await StatusAsync(server.Address, "/v1/stream/a"));
        Assert.Equal(404, await StatusAsync(server.Address, "/streams/a"));
    }

    [Fact]
    public async Task Check_describes_streams_and_reports_faults()
    {
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, """{"Dunlin": {"DurableStreams": {"Path": "streams", "PageBytes": 1}}}""");
        var faulty = await Cli.RunAsync("check", "--streams", "--config", config);
        File.Delete(config);
        Assert.NotEqual(0, faulty.Code);
        Assert.Contains("DurableStreamOptions.Path", faulty.Error, StringComparison.Ordinal);
        Assert.Contains("DurableStreamOptions.PageBytes", faulty.Error, StringComparison.Ordinal);
        var described = await Cli.RunAsync("check", "--streams");
        Assert.True(described.Code == 0, described.Error);
        Assert.Contains("/streams/..., topics streams/...", described.Output, StringComparison.Ordinal);
    }

    private static async Task<int> StatusAsync(Uri address, string path)
    {
        using var client = TestClients.New(address);
        using var answer = await client.GetAsync(path);
        return (int)answer.StatusCode;
    }
}
