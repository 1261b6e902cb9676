using System.Net;
using Dunlin.Packages.Tests.Support;

namespace Dunlin.Packages.Tests;

/// <summary>The <c>dotnet tool</c>, installed from the packages.</summary>
public sealed class ToolTests
{
    [Fact]
    public async Task The_tool_installs_runs_its_commands_and_serves()
    {
        await using var workspace = new Workspace();
        await workspace.RunAsync("dotnet tool install dunlin --tool-path tools --add-source packages");
        Assert.Contains("The configuration can be used", await workspace.RunAsync("tools/dunlin check"), StringComparison.Ordinal);
        Assert.Contains("token", await workspace.RunAsync("tools/dunlin --help"), StringComparison.Ordinal);
        var (code, error) = await workspace.TryAsync("tools/dunlin move --from missing.db");
        Assert.Equal((2, "dunlin: move needs --store, the empty PostgreSQL database to copy into."), (code, error.Trim()));

        await using var server = workspace.Start("exec tools/dunlin --port 0 --data data");
        var address = (await server.WhenSeenAsync(new System.Text.RegularExpressions.Regex(@"Dunlin is at (\S+)"))).Groups[1].Value;
        var token = (await workspace.RunAsync("tools/dunlin token --data data --subject me --publish '**' --subscribe '**'")).Trim();
        await using var reader = workspace.Start($"curl -sN '{address}/dunlin/v1/events?topic=news' -H 'Authorization: Bearer {token}'");
        await reader.WhenSeenAsync("event: dunlin.hello");
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var body = new StringContent("""{"topic": "news", "type": "note", "data": 17}""", null, "application/json");
        using var answer = await client.PostAsync($"{address}/dunlin/v1/events", body, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await reader.WhenSeenAsync("data: 17");
    }
}
