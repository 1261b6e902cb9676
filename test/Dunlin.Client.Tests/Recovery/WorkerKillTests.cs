using Dunlin.Client.Tests.Support;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Client.Tests.Recovery;

/// <summary>Kills a process that keeps its position in a file.</summary>
public sealed class WorkerKillTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const int Kills = 8;

    private static readonly string Program = Path.Combine(
        Repository.Root,
        "test/guides/ClientWorker",
        Path.GetRelativePath(Path.Combine(Repository.Root, "test/Dunlin.Client.Tests"), AppContext.BaseDirectory),
        "ClientWorker.dll"
    );

    [Fact]
    public async Task Killed_process_resumes_and_has_each_event_at_least_once_in_order()
    {
        var random = TestSeed.NewRandom(out _);
        var folder = Directory.CreateTempSubdirectory("dunlin-worker-");
        try
        {
            var token = Mint.User("ann", ("subscribe", "**"), ("publish", "**"));
            var file = Path.Combine(folder.FullName, "events");
            List<string> Lines() => File.Exists(file) ? [.. File.ReadLines(file)] : [];
            using var client = server.Client(token);
            var worker = Start(token, folder);
            // The position of the hello: from here on no event may be lost.
            await Wait.UntilAsync(() => folder.GetFiles("*.position").Length > 0, () => worker.Output);
            var (isLoaded, acknowledged) = (true, new List<string>());
            var load = Task.Run(async () =>
            {
                for (var i = 0; Volatile.Read(ref isLoaded); i++)
                {
                    var result = await client.PublishAsync(OutgoingEvent.FromJson("work/1", "e", $"{i}"));
                    acknowledged.Add($"{result.Positions[0]} {i}");
                }
            });
            for (var kill = 1; kill <= Kills; kill++)
            {
                var before = Lines().Count;
                await Wait.UntilAsync(() => Lines().Count > before + random.Next(10), () => $"No event: {worker.Output}");
                await worker.DisposeAsync();
                worker = Start(token, folder);
            }
            Volatile.Write(ref isLoaded, false);
            await load.WithinLimit();
            await Wait.UntilAsync(
                () => Lines().LastOrDefault() == acknowledged[^1],
                () => $"{Lines().LastOrDefault()}, {acknowledged[^1]}"
            );
            await worker.DisposeAsync();
            Assert.Equal(acknowledged, Lines().Distinct());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private ServerProcess Start(string token, DirectoryInfo folder) =>
        ServerProcess.Start("dotnet", [Program, server.Address.AbsoluteUri, token, folder.FullName]);
}
