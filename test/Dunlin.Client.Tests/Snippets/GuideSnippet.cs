using System.Text.Json.Serialization;
using Dunlin.Client.Tests.Support;
using Dunlin.Server.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Client.Tests.Snippets;

/// <summary>The C# of docs/guides/dotnet-client.md, compiled and run.</summary>
public sealed partial class GuideSnippet(RunningServer server) : IClassFixture<RunningServer>
{
    private static readonly (string, string)[] All = [("subscribe", "**"), ("publish", "**"), ("hold", "**")];

    private readonly List<string> _written = [];

    // <client-data>
    public sealed record ChatLine(string Author, string Text);

    [JsonSerializable(typeof(ChatLine))]
    private sealed partial class ChatJson : JsonSerializerContext;

    // </client-data>

    [Fact]
    public async Task A_client_publishes_and_reads_what_it_published()
    {
        using var stop = new CancellationTokenSource();
        var reading = ReadmeAsync(stop.Token);
        using var ann = server.Client(Mint.User("ann", All));
        // The subscription of the example may begin after its own publish, so repeat it.
        while (_written.Count == 0)
        {
            await ann.PublishAsync(OutgoingEvent.FromJson("teams/7/chat", "said", """{"text":"Hello"}"""));
            await Wait.PollAsync();
        }
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Equal("""teams/7/chat said {"text":"Hello"}""", _written[0]);
    }

    [Fact]
    public async Task Worker_of_the_guide_resumes_and_saves()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-guide-");
        try
        {
            using var client = server.Client(Mint.User("ann", All));
            for (var run = 1; run <= 2; run++)
            {
                using var stop = new CancellationTokenSource();
                var work = WorkAsync(client, folder.FullName, stop.Token);
                await Wait.UntilAsync(() => folder.GetFiles("*.position").Length > 0, () => "No position was saved.");
                await client.PublishAsync(
                    OutgoingEvent.Create("teams/8/chat", "said", new ChatLine("ann", $"run {run}"), ChatJson.Default.ChatLine)
                );
                await Wait.UntilAsync(() => _written.Contains($"ann: run {run}"), () => string.Join(", ", _written));
                await stop.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
                // Published while the worker is down.
                await client.PublishAsync(
                    OutgoingEvent.Create("teams/8/chat", "said", new ChatLine("ann", $"down {run}"), ChatJson.Default.ChatLine)
                );
            }
            Assert.Contains("ann: down 1", _written);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Lease_of_the_guide_is_released_after_the_work()
    {
        using var client = server.Client(Mint.User("ann", All));
        await EditAsync(client, CancellationToken.None);
        Assert.Empty((await client.Leases.ListAsync("files")).Leases);
        Assert.Equal(["Saved with fencing token 1"], _written);
    }

    [Fact]
    public async Task Registration_and_errors_of_the_guide_work()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create("DunlinClient:Address", (string?)server.Address.AbsoluteUri)])
            .Build();
        var services = new ServiceCollection();
        Register(services, configuration);
        await using var provider = services.BuildServiceProvider();
        await ReportAsync(provider.GetRequiredService<DunlinClient>());
        Assert.Equal(["Not allowed: invalid_field, type"], _written);
    }

    private static Task<string?> FetchTokenAsync(CancellationToken cancellationToken) =>
        Task.FromResult<string?>(cancellationToken.IsCancellationRequested ? null : Mint.User("ann", All));

    private void Write(string line)
    {
        lock (_written)
            _written.Add(line);
    }

    private async Task ReadmeAsync(CancellationToken stopping)
    {
        // <client-start>
        using var client = new DunlinClient(
            new DunlinClientOptions { Address = server.Address, GetToken = async token => await FetchTokenAsync(token) }
        );
        await client.PublishAsync(OutgoingEvent.FromJson("teams/7/chat", "said", """{"text":"Hello"}"""), cancellationToken: stopping);
        await foreach (var e in client.SubscribeAsync("teams/7/**", cancellationToken: stopping))
        {
            if (e.IsReset)
                Write("Events were lost: load the state again.");
            else
                Write($"{e.Topic} {e.Type} {e.GetText()}");
        }
        // </client-start>
    }

    private async Task WorkAsync(DunlinClient client, string folder, CancellationToken stopping)
    {
        // <client-worker>
        var options = new SubscribeOptions { Positions = new FilePositionStore(folder), Name = "chat-worker" };
        await foreach (var e in client.SubscribeAsync("teams/8/**", options, stopping))
        {
            if (e.IsReset)
                Write($"Events were lost ({e.ResetReason}): load the state again.");
            else if (e.Type == "said" && e.GetData(ChatJson.Default.ChatLine) is { } line)
                Write($"{line.Author}: {line.Text}");
        }
        // </client-worker>
    }

    private async Task EditAsync(DunlinClient client, CancellationToken stopping)
    {
        // <client-lease>
        await using var lease = await client.Leases.AcquireAsync("files/report", cancellationToken: stopping);
        using var editing = CancellationTokenSource.CreateLinkedTokenSource(stopping, lease.Lost);
        await SaveAsync(lease.Fence, editing.Token);
        // </client-lease>
    }

    private Task SaveAsync(long fence, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write($"Saved with fencing token {fence}");
        return Task.CompletedTask;
    }

    private static void Register(IServiceCollection services, IConfiguration configuration)
    {
        // <client-register>
        services.AddDunlinClient(
            configuration.GetSection("DunlinClient"),
            options => options.GetToken = async token => await FetchTokenAsync(token)
        );
        // </client-register>
    }

    private async Task ReportAsync(DunlinClient client)
    {
        // <client-errors>
        try
        {
            await client.PublishAsync(OutgoingEvent.FromJson("teams/7/chat", "dunlin.forged", "1"));
        }
        catch (DunlinClientException exception) when (exception.Problem.Class == ProblemClass.Stop)
        {
            Write($"Not allowed: {exception.Problem.Code}, {exception.Problem.Field}");
        }
        // </client-errors>
    }
}
