using System.Buffers.Binary;
using Dunlin.Fuzz.Engine;
using Dunlin.Fuzz.Http;
using Dunlin.Fuzz.Requests;

namespace Dunlin.Fuzz.Targets;

/// <summary>
/// Requests to every endpoint of a program, which a number determines: wrong types, nulls, sizes, encodings, query values, headers, and ids
/// of other users. What the endpoints answered before decides too, so a replay repeats the request only roughly; the finding has it.
/// </summary>
internal sealed class EndpointTarget(string name, bool isServer, int seed) : FuzzTarget(name, "Dunlin.")
{
    private static readonly string[] Users = ["alice", "bob", "carol", "dave"];

    // A request may end a session, so each user has several.
    private const int SessionsPerUser = 12;

    private FuzzHost _host = null!;
    private FuzzRun _run = null!;

    public override async ValueTask StartAsync()
    {
        _host = isServer ? await Hosts.ServerAsync() : await Hosts.DemoAsync();
        var tokens = isServer ? ServerTokens() : await DemoTokensAsync();
        FindingException.Require(_host.Endpoints.Count > 20, "too few endpoints", $"{_host.Endpoints.Count}");
        _host.TakeFaults();
        var maker = new FuzzMaker(
            seed,
            tokens.ToDictionary(static pair => pair.Key, IReadOnlyList<string> (pair) => pair.Value, StringComparer.Ordinal)
        );
        _run = new FuzzRun(_host, maker, tokens);
    }

    public override async ValueTask RunAsync(byte[] input)
    {
        var bytes = new byte[sizeof(int)];
        input.AsSpan(0, Math.Min(input.Length, bytes.Length)).CopyTo(bytes);
        await _run.SendAsync(BinaryPrimitives.ReadInt32LittleEndian(bytes) & int.MaxValue);
    }

    public override ValueTask DisposeAsync()
    {
        _run.Dispose();
        Console.WriteLine($"{Name}: {string.Join(", ", _run.Statuses.Select(static pair => $"{pair.Key}: {pair.Value}"))}");
        return ValueTask.CompletedTask;
    }

    private static Dictionary<string, List<string>> ServerTokens() =>
        new(StringComparer.Ordinal)
        {
            ["backend"] = [Hosts.Token("backend", roles: """["admin"]""")],
            ["alice"] = [Hosts.Token("alice")],
            ["bob"] = [Hosts.Token("bob", """{"subscribe":["a/*"],"publish":["a/b"]}""")],
        };

    private async Task<Dictionary<string, List<string>>> DemoTokensAsync()
    {
        var tokens = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var user in Users)
        {
            tokens[user] = [];
            for (var i = 0; i < SessionsPerUser; i++)
                tokens[user].Add(await Hosts.SignInAsync(_host, user));
        }
        return tokens;
    }
}
