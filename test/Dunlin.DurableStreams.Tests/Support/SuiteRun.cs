using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.DurableStreams.Tests.Support;

/// <summary>Runs of the official suite (<c>test/durable-streams</c>) against servers in their own processes.</summary>
internal static partial class SuiteRun
{
    // Short, because the suite waits for several long-polls to end.
    private const int LongPollSeconds = 2;

    private static readonly string Key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));

    private static string Program => Path.Combine(AppContext.BaseDirectory, "dunlin.dll");

    /// <summary>Creates a server below the path that the suite expects. All servers of a run have one signing key.</summary>
    public static DunlinProcess Server() =>
        new(Program)
        {
            Settings =
            {
                ["Dunlin__DurableStreams__Enabled"] = "true",
                ["Dunlin__DurableStreams__Path"] = "/v1/stream",
                ["Dunlin__DurableStreams__LongPollTimeout"] = string.Create(CultureInfo.InvariantCulture, $"00:00:0{LongPollSeconds}"),
                // The suite receives webhooks on this machine.
                ["Dunlin__DurableStreams__WebhookNetworks__0"] = "127.0.0.0/8",
                ["Dunlin__Streams__MaxPerUser"] = "1000",
                ["Dunlin__Streams__MaxPerAddress"] = "1000",
                ["Dunlin__Origins__AllowedOrigins__0"] = "https://example.com",
                ["Dunlin__Tokens__SigningKey"] = Key,
            },
        };

    /// <summary>Returns a token for all streams, without a rate limit.</summary>
    public static async Task<string> TokenAsync(DunlinProcess server)
    {
        var made = await server.RunAsync("token", "--subject", "suite", "--subscribe", "streams/**", "--publish", "**");
        Assert.True(made.Code == 0, made.Error);
        return made.Output.Trim().Split('\n')[^1];
    }

    /// <summary>Runs the suite and returns how many of its tests passed.</summary>
    public static async Task<int> RunAsync(string token, params DunlinProcess[] nodes)
    {
        var start = new ProcessStartInfo("npx", ["vitest", "run", "--config", "test/durable-streams/vitest.config.ts"])
        {
            WorkingDirectory = Repository.Root,
            Environment =
            {
                ["NO_COLOR"] = "1",
                ["DUNLIN_STREAM_NODES"] = string.Join(',', nodes.Select(node => node.Address.ToString().TrimEnd('/'))),
                ["DUNLIN_STREAM_TOKEN"] = token,
                ["DUNLIN_STREAM_LONG_POLL"] = LongPollSeconds.ToString(CultureInfo.InvariantCulture),
            },
        };
        var run = await ServerProcess.RunAsync(start);
        Assert.True(run.Code == 0, run.Output + run.Error);
        var passed = Passed().Match(run.Output);
        Assert.True(passed.Success, run.Output);
        return int.Parse(passed.Groups["count"].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"Tests\s+(?<count>[0-9]+) passed", RegexOptions.CultureInvariant)]
    private static partial Regex Passed();
}
