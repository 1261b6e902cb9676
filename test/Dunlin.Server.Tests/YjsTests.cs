using System.Net.Http.Headers;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;

namespace Dunlin.Server.Tests;

/// <summary><c>dunlin serve --yjs</c>: the option, its settings, and the rights of tokens.</summary>
public sealed class YjsTests
{
    [Fact]
    public async Task Server_has_documents_only_if_told_to()
    {
        await using var plain = await TestServer.StartAsync();
        Assert.Equal(404, await StatusAsync(plain, HttpMethod.Get, "/api/yjs/notes/1", Mint.User("ann", ("subscribe", "notes/*"))));
        await using var server = await TestServer.StartAsync(("Yjs:Enabled", "true"));
        Assert.Equal(401, await StatusAsync(server, HttpMethod.Get, "/api/yjs/notes/1", null));
    }

    [Fact]
    public async Task Grants_of_the_token_decide_who_edits_and_who_reads()
    {
        await using var server = await TestServer.StartAsync(("Yjs:Enabled", "true"), ("Yjs:MaxUpdateBytes", "2048"));
        var writer = Mint.User("ann", ("subscribe", "notes/*"), ("publish", "notes/*"));
        var reader = Mint.User("bob", ("subscribe", "notes/*"));
        Assert.Equal(204, await StatusAsync(server, HttpMethod.Post, "/api/yjs/notes/1", writer, 2));
        Assert.Equal(413, await StatusAsync(server, HttpMethod.Post, "/api/yjs/notes/1", writer, 5_000));
        Assert.Equal(403, await StatusAsync(server, HttpMethod.Post, "/api/yjs/notes/1", reader, 2));
        Assert.Equal(200, await StatusAsync(server, HttpMethod.Get, "/api/yjs/notes/1", reader));
        Assert.Equal(403, await StatusAsync(server, HttpMethod.Get, "/api/yjs/other/1", reader));
    }

    [Fact]
    public async Task Check_describes_documents_and_reports_faults()
    {
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, """{"Dunlin": {"Yjs": {"MaxUpdateBytes": 1}}}""");
        var faulty = await Cli.RunAsync("check", "--yjs", "--config", config);
        File.Delete(config);
        Assert.NotEqual(0, faulty.Code);
        Assert.Contains("YjsOptions.MaxUpdateBytes", faulty.Error, StringComparison.Ordinal);
        var described = await Cli.RunAsync("check", "--yjs");
        Assert.True(described.Code == 0, described.Error);
        Assert.Contains("/api/yjs/..., each topic is a document", described.Output, StringComparison.Ordinal);
    }

    private static async Task<int> StatusAsync(TestServer server, HttpMethod method, string path, string? token, int bytes = 0)
    {
        using var client = TestClients.New(server.Address);
        using var request = new HttpRequestMessage(method, path);
        if (bytes > 0)
            request.Content = new ByteArrayContent(Enumerable.Repeat((byte)1, bytes).ToArray());
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
