using System.Diagnostics;
using System.Text.RegularExpressions;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests;

/// <summary>Compiles and runs the program of docs/start/in-a-dotnet-application.md.</summary>
[Trait("Store", "own")]
public sealed class ApplicationPageTests : IDisposable
{
    private static readonly string Page = Repository.Read("docs/start/in-a-dotnet-application.md");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dunlin-chat-");

    [Fact]
    public void Code_of_the_page_equals_the_compiled_code()
    {
        Assert.Equal(Repository.Read("test/start/TeamChat/Program.cs"), Assert.Single(Repository.Blocks(Page, "csharp")));
        Assert.Equal(Repository.Read("test/start/TeamChat/Schema/0001_messages.sql"), Assert.Single(Repository.Blocks(Page, "sql")));
        Assert.Contains(
            """<EmbeddedResource Include="Schema/*.sql" />""",
            Repository.Read("test/start/TeamChat/TeamChat.csproj"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Trial_steps_of_the_page_work_and_survive_kill_9()
    {
        var shell = Repository.Blocks(Page, "sh");
        Assert.Equal(2, shell.Count);
        await using var chat = Start("0");
        var address = (await chat.WhenSeenAsync(new Regex("Now listening on: (http://127.0.0.1:[0-9]+)"))).Groups[1].Value;
        await using var ann = Run("bash", address, "-c", shell[0]);
        var hello = await ann.WhenSeenAsync(new Regex("id: ([0-9a-f]{8}-[0-9]+)\nevent: dunlin.hello"));
        await using (var bob = Run("bash", address, "-ec", shell[1]))
        {
            Assert.Equal(0, await bob.WhenExitedAsync());
            await bob.WhenSeenAsync(new Regex("\"present\":\\[\\{\"userId\":\"ann\".*\"connections\":1"));
            await bob.WhenSeenAsync(new Regex("\"position\":\"[0-9a-f]{8}-[0-9]+\""));
            await bob.WhenSeenAsync(
                new Regex("\"resource\":\"teams/7/notes\",\"leaseId\":\"bob-edits-notes\",\"fence\":[0-9]+,\"state\":\"held\"")
            );
        }
        await ann.WhenSeenAsync("""data: {"author":"bob","text":"hello"}""");

        await chat.KillAsync();
        await using var again = Start(new Uri(address).Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await again.WhenSeenAsync("Now listening on: " + address);
        await using var resumed = Run(
            "curl",
            address,
            "-sN",
            "-b",
            "ann.txt",
            "-H",
            $"Last-Event-ID: {hello.Groups[1].Value}",
            address + "/dunlin/v1/events?topic=teams/7"
        );
        await resumed.WhenSeenAsync("""data: {"author":"bob","text":"hello"}""");
        Assert.Equal(1, Regex.Count(resumed.Output, "event: message.sent"));
        Assert.DoesNotContain("dunlin.reset", resumed.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private ServerProcess Start(string port)
    {
        // Built beside the tests, in the same configuration.
        var built = Path.GetRelativePath(Path.Combine(Repository.Root, "test", "Dunlin.Server.Tests"), AppContext.BaseDirectory);
        return Run(
            "dotnet",
            "",
            Path.Combine(Repository.Root, "test", "start", "TeamChat", built, "TeamChat.dll"),
            "--urls",
            "http://127.0.0.1:" + port
        );
    }

    private ServerProcess Run(string program, string address, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder.FullName };
        info.Environment["CHAT"] = address;
        info.Environment.Remove("ASPNETCORE_ENVIRONMENT");
        return ServerProcess.Start(info);
    }
}
