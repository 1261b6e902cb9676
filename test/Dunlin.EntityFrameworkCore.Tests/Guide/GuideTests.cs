using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Client;
using Dunlin.TestKit.Servers;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Guide;

/// <summary>The program of docs/guides/ef-core.md as a process.</summary>
[Trait("Store", "own")]
public sealed partial class GuideTests
{
    private const string Folder = "test/guides/EfOrders";

    [Fact]
    public void The_code_of_the_guide_is_compiled()
    {
        var blocks = Repository.Blocks(Repository.Read("docs/guides/ef-core.md"), "csharp");
        Assert.Equal(Repository.Read($"{Folder}/Program.cs"), blocks[0]);
        Assert.True(blocks[0].Split('\n').Length <= 60);
        var snippets = Trimmed(Repository.Read("test/Dunlin.EntityFrameworkCore.Tests/Guide/GuideSnippet.cs"));
        Assert.All(blocks.Skip(1), block => Assert.Contains(Trimmed(block), snippets, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_has_what_its_own_request_has_written()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-ef-guide-");
        try
        {
            await using (var process = Start(folder))
            {
                var address = new Uri((await process.WhenSeenAsync(Listening())).Groups[1].Value);
                using var http = new HttpClient { BaseAddress = address };
                var refused = await http.PostAsync("/api/orders/1", null, Cancellation);
                Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
                (await http.PostAsync("/sign-in/ann", null, Cancellation)).EnsureSuccessStatusCode();

                using var client = new DunlinClient(new DunlinClientOptions { Address = address, Token = null }, http);
                var known = new StreamPosition(await OrderAsync(http, "1"));
                var answer = await OrderAsync(http, "2");
                var text = await GuideSnippet.ReadUntilAsync(client, known, answer, Cancellation);
                Assert.Equal("""{"id":"2","customer":"ann"}""", text);
                // A second order with the id is refused.
                Assert.Equal(HttpStatusCode.InternalServerError, (await http.PostAsync("/api/orders/1", null, Cancellation)).StatusCode);
            }
            // The tables and the journal are there at the next start.
            await using var again = Start(folder);
            await again.WhenSeenAsync(Listening());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> OrderAsync(HttpClient http, string id)
    {
        var response = (await http.PostAsync($"/api/orders/{id}", null, Cancellation)).EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("position").GetString()!;
    }

    private static ServerProcess Start(DirectoryInfo folder)
    {
        var tests = Path.Combine(Repository.Root, "test", "Dunlin.EntityFrameworkCore.Tests");
        var program = Path.Combine(Repository.Root, Folder, Path.GetRelativePath(tests, AppContext.BaseDirectory), "EfOrders.dll");
        var start = new ProcessStartInfo("dotnet", [program, "--urls", "http://127.0.0.1:0", "--contentRoot", folder.FullName])
        {
            WorkingDirectory = folder.FullName,
        };
        start.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        return ServerProcess.Start(start);
    }

    private static string Trimmed(string code) => string.Join('\n', code.Split('\n').Select(static line => line.Trim()));

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:[0-9]+)")]
    private static partial Regex Listening();
}
