using System.Buffers.Text;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Fuzz.Tests;

/// <summary>
/// Sends seeded requests to every HTTP endpoint of the applications: wrong types, nulls, lone surrogates, depth, sizes, encodings, content
/// types, query values and headers. They are sent without a user, as each user, and with ids of other users. No answer may be 5xx, missing,
/// or contain a stack trace, and a client's fault may cause neither errors nor stack traces in the log. <c>DUNLIN_SEED</c> repeats a run,
/// <c>DUNLIN_FUZZ_ROUNDS</c> extends it.
/// </summary>
public sealed class FuzzTests
{
    private static readonly string[] Users = ["alice", "bob", "carol", "dave"];

    private const string Password = "dunlin-demo";

    // A request may end a session, so each user has several.
    private const int SessionsPerUser = 12;

    [Fact]
    public async Task Every_endpoint_of_the_host_answers_fuzzed_requests()
    {
        var seed = Seed();
        await using var target = await FuzzTarget.StartHostAsync();
        var tokens = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        using (var client = new HttpClient { BaseAddress = target.Address })
        {
            foreach (var user in Users)
            {
                tokens[user] = [];
                for (var i = 0; i < SessionsPerUser; i++)
                {
                    using var response = await client.PostAsJsonAsync("/api/v1/auth/login", new { username = user, password = Password });
                    tokens[user].Add((await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString()!);
                }
            }
        }
        Assert.Contains(target.Endpoints, endpoint => endpoint.ToString() == "POST /dunlin/v1/events");
        Assert.True(target.Endpoints.Count > 80, $"{target.Endpoints.Count} endpoints");
        await RunAsync(target, seed, tokens, rounds: 120);
    }

    [Fact]
    public async Task Every_endpoint_of_the_server_answers_fuzzed_requests()
    {
        var seed = Seed();
        var key = RandomNumberGenerator.GetBytes(64);
        await using var target = await FuzzTarget.StartServerAsync(Convert.ToBase64String(key));
        var everything = """{"subscribe":["**"],"publish":["**"],"hold":["**"],"take":["a/**"]}""";
        var tokens = new Dictionary<string, List<string>>(StringComparer.Ordinal)
        {
            ["backend"] = [Token(key, "backend", everything, """["admin"]""")],
            ["alice"] = [Token(key, "alice", everything, "[]")],
            ["bob"] = [Token(key, "bob", """{"subscribe":["a/*"],"publish":["a/b"]}""", "[]")],
        };
        Assert.Contains(target.Endpoints, endpoint => endpoint.ToString() == "POST /dunlin/v1/revocations");
        await RunAsync(target, seed, tokens, rounds: 250);
    }

    private static async Task RunAsync(FuzzTarget target, int seed, Dictionary<string, List<string>> tokens, int rounds)
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("DUNLIN_FUZZ_ROUNDS"), CultureInfo.InvariantCulture, out var given))
            rounds = given;
        target.TakeFaults();
        var run = new FuzzRun(
            target,
            new FuzzMaker(seed, tokens.ToDictionary(pair => pair.Key, IReadOnlyList<string> (pair) => pair.Value, StringComparer.Ordinal)),
            tokens
        );
        await run.RunAsync(rounds);
        var statuses = string.Join(", ", run.Statuses.Select(pair => $"{pair.Key}: {pair.Value}"));
        TestContext.Current.TestOutputHelper?.WriteLine($"{target.Endpoints.Count} endpoints, {rounds} rounds: {statuses}");
        Assert.True(run.Failures.Count == 0, $"DUNLIN_SEED={seed}, {statuses}\n\n{string.Join('\n', run.Failures)}");
        // Some requests succeed. A run that fails at the first check tests nothing behind it.
        Assert.True(run.Statuses.GetValueOrDefault(200) > rounds, statuses);
    }

    private static int Seed()
    {
        TestSeed.NewRandom(out var seed);
        return seed;
    }

    private static string Token(byte[] key, string subject, string grants, string roles)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims =
            $$"""{"iss":"dunlin","aud":"dunlin","sub":"{{subject}}","iat":{{now}},"exp":{{now + 3600}},"dunlin":{{grants}},"roles":{{roles}}}""";
        var signed =
            $"{Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
    }
}
