using System.Globalization;
using System.Text.Json;
using Dunlin.TestKit;
using Dunlin.Worlds.Tests.Histories;

namespace Dunlin.Worlds.Tests.Load;

/// <summary>The clients of a world: three publishers, two readers for each address, and three holders of two resources.</summary>
/// <remarks>The seed decides what each client does, and to which node it sends a request. Only the answers decide when.</remarks>
internal sealed class Workload : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _stopWrites = new();
    private readonly CancellationTokenSource _stopReads = new();
    private readonly IReadOnlyList<Func<Uri>> _addresses;
    private readonly List<Reader> _readers = [];
    private readonly List<IDisposable> _clients = [];
    private readonly List<Task> _reading = [];
    private readonly List<Task> _writing = [];
    private readonly string _world;
    private readonly int _seed;

    private Workload(string world, IReadOnlyList<Func<Uri>> addresses)
    {
        (_world, _addresses) = (world, addresses);
        Random = TestSeed.NewRandom(out _seed);
    }

    public History History { get; } = new();

    public Random Random { get; }

    /// <summary>Gets how many writes a world waits for between two faults. <c>DUNLIN_WORLD_SECONDS</c> makes a world longer.</summary>
    public static int Step { get; } = 150 * (1 + (Seconds() / 10));

    /// <summary>Starts the clients, and returns when all readers are connected.</summary>
    /// <param name="world">The name that the output shows.</param>
    /// <param name="addresses">The nodes, or the proxies before them.</param>
    public static Task<Workload> StartAsync(string world, params Func<Uri>[] addresses) => StartAsync(world, true, addresses);

    /// <summary>Starts the clients, and returns when all readers are connected.</summary>
    /// <param name="world">The name that the output shows.</param>
    /// <param name="isGuarded">Whether holders write, which only <see cref="Nodes.NodeProgram"/> offers.</param>
    /// <param name="addresses">The nodes, or the proxies before them.</param>
    public static async Task<Workload> StartAsync(string world, bool isGuarded, params Func<Uri>[] addresses)
    {
        var load = new Workload(world, addresses);
        foreach (var (index, address) in addresses.Index())
        {
            for (var i = 0; i < 2; i++)
                load._readers.Add(new Reader(load.History, string.Create(CultureInfo.InvariantCulture, $"reader-{index}{i}"), address));
        }
        load._reading.AddRange(load._readers.Select(reader => Task.Run(() => reader.RunAsync(load._stopReads.Token))));
        await Task.WhenAll(load._readers.Select(reader => reader.Connected)).WaitAsync(Patience);
        for (var i = 0; i < 3; i++)
        {
            var publisher = new Publisher(load.History, $"publisher-{i}", addresses, load.NewRandom());
            load._writing.Add(Task.Run(() => publisher.RunAsync(load._stopWrites.Token)));
            var holder = new Holder(load.History, $"holder-{i}", addresses, load.NewRandom(), isGuarded);
            load._clients.AddRange(publisher, holder);
            load._writing.Add(Task.Run(() => holder.RunAsync(load._stopWrites.Token)));
        }
        return load;
    }

    /// <summary>Waits for further acknowledged writes.</summary>
    public async Task MoreAsync(int? count = null)
    {
        try
        {
            await History.WhenMoreAsync(count ?? Step).WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail(
                $"The servers acknowledge too little: {HistoryChecker.Count(History)}. {string.Join("; ", History.Faults.Take(5))}"
            );
        }
    }

    /// <summary>Ends the writes, waits until every reader has the last event, reads the journal, and checks the history.</summary>
    /// <param name="allowsResets">Whether the world loses history, so that readers get a reset.</param>
    /// <param name="allowsServerErrors">Whether the world makes the server fail requests with a status of 500.</param>
    /// <returns>The five numbers, which the output shows with the seed.</returns>
    public async Task<Figures> FinishAsync(bool allowsResets = false, bool allowsServerErrors = false)
    {
        await _stopWrites.CancelAsync();
        await Task.WhenAll(_writing).WaitAsync(Patience);
        using var last = new Publisher(History, "last", _addresses, NewRandom());
        await last.PublishAsync("last", isRepeated: true, CancellationToken.None);
        Assert.Contains(History.Writes, write => write is { Id: "last", Outcome: Outcome.Acknowledged });
        foreach (var reader in _readers)
        {
            try
            {
                await reader.WhenSeenAsync("last").WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"{reader.Name} stays at {reader.Position}. DUNLIN_SEED={_seed}. {HistoryChecker.Count(History)}");
            }
        }
        await _stopReads.CancelAsync();
        await Task.WhenAll(_reading).WaitAsync(Patience);
        var figures = HistoryChecker.Count(History);
        foreach (var (index, address) in _addresses.Index())
            await AuditAsync(string.Create(CultureInfo.InvariantCulture, $"journal-{index}"), address());
        var line = string.Create(CultureInfo.InvariantCulture, $"{_world}: {figures}; DUNLIN_SEED={_seed}");
        Console.WriteLine(line);
        var broken = HistoryChecker
            .Check(History)
            .Where(text => !allowsServerErrors || !text.StartsWith("answers: 500", StringComparison.Ordinal))
            .ToList();
        Assert.True(broken.Count == 0, line + "\n" + string.Join('\n', broken));
        Assert.True(allowsResets || figures.Resets == 0, line);
        Assert.True(figures is { Acknowledged: > 0, Delivered: > 0, Grants: > 0 }, line);
        return figures;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopWrites.CancelAsync();
        await _stopReads.CancelAsync();
        await Task.WhenAll([.. _writing, .. _reading]).WaitAsync(Patience);
        foreach (var client in _clients.Concat(_readers))
            client.Dispose();
        _stopWrites.Dispose();
        _stopReads.Dispose();
    }

    /// <summary>Reads the whole journal of a node, as a reader that began before the first event.</summary>
    private async Task AuditAsync(string name, Uri address)
    {
        using var api = new Api(address, name);
        for (var (after, hasMore) = ("", true); hasMore; )
        {
            var asked = after;
            var path = $"/dunlin/v1/journal?topic=worlds/**&topic=leases/worlds&limit=1000{(after.Length == 0 ? "" : "&after=" + after)}";
            var page = (await api.Client.SendJsonAsync("GET", path)).Ok();
            foreach (var entry in page.GetProperty("events").EnumerateArray())
            {
                var at = Place.Parse(entry.GetProperty("position").GetString()!);
                if (after.Length == 0)
                    History.Add(name, new SeenStart(at with { Offset = 0 }));
                after = at.ToString();
                History.Add(name, Reader.EventOf(at, entry.GetProperty("type").GetString()!, entry.GetProperty("data")));
            }
            hasMore = page.GetProperty("hasMore").GetBoolean();
            var position = page.GetProperty("position").GetString()!;
            Assert.False(hasMore && position == asked, $"The journal of {name} has more after {position}, but does not return it.");
            after = position;
        }
    }

    private Random NewRandom() => new(Random.Next());

    private static int Seconds() =>
        int.TryParse(Environment.GetEnvironmentVariable("DUNLIN_WORLD_SECONDS"), CultureInfo.InvariantCulture, out var seconds)
            ? seconds
            : 0;
}
