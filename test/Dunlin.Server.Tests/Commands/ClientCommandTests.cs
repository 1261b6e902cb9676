using System.Text.Json;
using Dunlin.Journal;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;
using Dunlin.Topics;

namespace Dunlin.Server.Tests.Commands;

/// <summary>The commands that call a running server.</summary>
public sealed class ClientCommandTests(OneServer one) : IClassFixture<OneServer>, IDisposable
{
    private static readonly string Admin = Mint.Token(
        "admin",
        [("subscribe", "**"), ("publish", "**"), ("hold", "**"), ("take", "**")],
        ("roles", new[] { "admin" })
    );

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-client-").FullName;
    private readonly string _topic = $"t/{Guid.NewGuid():N}";

    private string[] Remote => ["--server", $"{one.Server.Address}", "--token", Admin];

    private string PositionFile => Path.Combine(_folder, "position");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Published_data_from_argument_file_and_text_is_tailed()
    {
        var file = Path.Combine(_folder, "data.json");
        await File.WriteAllTextAsync(file, "{\n \"a\": 1 }");
        var first = await Cli.JsonAsync(["publish", _topic, "[1]", "--type", "first", .. Remote]);
        await Cli.JsonAsync(["publish", _topic, $"@{file}", .. Remote]);
        await Cli.JsonAsync(["publish", _topic, "say \"hi\"", "--text", .. Remote]);
        var transient = await Cli.JsonAsync(["publish", _topic, "0", "--transient", .. Remote]);
        Assert.Equal(JsonValueKind.Null, transient.GetProperty("positions")[0].ValueKind);

        var (code, output, error) = await Cli.RunAsync(["tail", _topic, "--from", "start", "--limit", "3", "--json", .. Remote]);
        Assert.True(code == 0, error);
        var events = Lines(output);
        Assert.Equal(["[1]", "{\"a\":1}", "\"say \\\"hi\\\"\""], events.Select(Data));
        Assert.Equal(["first", "message", "message"], events.Select(e => e.GetProperty("type").GetString()));
        Assert.Equal(first.GetProperty("positions")[0].GetString(), events[0].GetProperty("position").GetString());
    }

    [Fact]
    public async Task Tail_names_further_topics_and_formats_and_no_restricted_event()
    {
        await using var program = new ServerProgram();
        Directory.CreateDirectory(program.Data);
        await using (var store = Stores.Sqlite(Path.Combine(program.Data, "dunlin.db")))
        {
            await store.OpenAsync();
            EventDraft Draft(bool isRestricted) =>
                new(TopicName.ForText("https://example.com/é"), "e", new byte[] { 0, 255 })
                {
                    AlsoOn = [TopicName.Parse("t/1"), TopicName.Parse("t/2")],
                    IsRestricted = isRestricted,
                    Format = EventFormat.Binary,
                };
            var text = new EventDraft(TopicName.Parse("t/1"), "e", "7"u8.ToArray()) { Format = EventFormat.Text };
            await store.AppendAsync([Draft(isRestricted: true), Draft(isRestricted: false), text], null, default);
        }
        program.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await program.StartAsync();
        string[] tail = ["tail", "t/1", "--from", "start", "--limit", "2", "--server", $"{program.Address}", "--token", Admin];
        var (code, output, error) = await Cli.RunAsync([.. tail, "--json"]);
        Assert.True(code == 0, error);
        var events = Lines(output);
        Assert.Equal("#https://example.com/é", events[0].GetProperty("topic").GetString());
        Assert.Equal(["t/1", "t/2"], events[0].GetProperty("alsoOn").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(["base64", "text"], events.Select(e => e.GetProperty("format").GetString()));
        Assert.Equal(["AP8=", "7"], events.Select(e => e.GetProperty("data").GetString()));
        (_, output, _) = await Cli.RunAsync(tail);
        Assert.Contains("  #https://example.com/é,t/1,t/2  e  AP8=", output, StringComparison.Ordinal);
        (code, _, error) = await Cli.RunAsync(["tail", "#x", "--server", $"{program.Address}", "--token", Admin]);
        Assert.Equal(1, code);
        Assert.Contains("(invalid_topic)", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repeated_publish_with_a_key_publishes_once()
    {
        var first = await Cli.RunAsync(["publish", _topic, "1", "--key", "k", .. Remote]);
        var second = await Cli.RunAsync(["publish", _topic, "1", "--key", "k", .. Remote]);
        Assert.Equal(0, first.Code);
        Assert.Equal(first.Output, second.Output);
        var (code, _, error) = await Cli.RunAsync(["publish", _topic, "2", "--key", "k", .. Remote]);
        Assert.Equal(1, code);
        Assert.Contains("(idempotency_key_reused)", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tail_resumes_from_its_position_file()
    {
        for (var i = 1; i <= 5; i++)
            await Cli.JsonAsync(["publish", _topic, $"{i}", .. Remote]);
        string[] tail = ["tail", _topic, "--position-file", PositionFile, "--json", .. Remote];
        var first = await Cli.RunAsync([.. tail, "--from", "start", "--limit", "2"]);
        Assert.Equal(["1", "2"], Lines(first.Output).Select(Data));
        var second = await Cli.RunAsync([.. tail, "--limit", "3"]);
        Assert.Equal(["3", "4", "5"], Lines(second.Output).Select(Data));
        await File.WriteAllTextAsync(PositionFile, "no position");
        var (code, _, error) = await Cli.RunAsync(tail);
        Assert.Equal(1, code);
        Assert.Contains("contains no position", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tail_of_a_lost_history_reports_the_reset()
    {
        await Cli.JsonAsync(["publish", _topic, "1", .. Remote]);
        using var stop = new CancellationTokenSource();
        await using var running = Running.Start(stop, ["tail", _topic, "--from", "00000001-7", "--json", .. Remote]);
        await running.WhenAsync("\"reset\":\"epoch\"");
        await Cli.JsonAsync(["publish", _topic, "2", .. Remote]);
        await running.WhenAsync("\"data\":2");
    }

    [Fact]
    public async Task Interrupted_tail_saves_its_position_and_exits_with_130()
    {
        await Cli.JsonAsync(["publish", _topic, "1", .. Remote]);
        using var stop = new CancellationTokenSource();
        await using (var running = Running.Start(stop, ["tail", _topic, "--from", "start", "--position-file", PositionFile, .. Remote]))
        {
            await running.WhenAsync("message");
            await stop.CancelAsync();
            Assert.Equal(130, await running.Ended);
        }
        await Cli.JsonAsync(["publish", _topic, "2", .. Remote]);
        var next = await Cli.RunAsync(["tail", _topic, "--position-file", PositionFile, "--limit", "1", "--json", .. Remote]);
        Assert.Equal(["2"], Lines(next.Output).Select(Data));
    }

    [Fact]
    public async Task Tail_resumes_although_its_first_run_received_nothing()
    {
        string[] tail = ["tail", _topic, "--position-file", PositionFile, "--json", .. Remote];
        using var stop = new CancellationTokenSource();
        await using (var running = Running.Start(stop, tail))
        {
            await Eventually.TrueAsync(() => File.Exists(PositionFile));
            await stop.CancelAsync();
            Assert.Equal(130, await running.Ended);
        }
        await Cli.JsonAsync(["publish", _topic, "1", .. Remote]);
        var next = await Cli.RunAsync([.. tail, "--limit", "1"]);
        Assert.Equal(["1"], Lines(next.Output).Select(Data));
    }

    [Fact]
    public async Task Tail_prints_the_chosen_types_of_a_pattern()
    {
        foreach (var type in new[] { "a", "b", "c", "a" })
            await Cli.JsonAsync(["publish", $"{_topic}/{type}", "1", "--type", type, .. Remote]);
        var (_, output, _) = await Cli.RunAsync(["tail", $"{_topic}/**", "--from", "start", "--types", "a,c", "--limit", "3", .. Remote]);
        var topics = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split("  ")[1][^1]);
        Assert.Equal(['a', 'c', 'a'], topics);
    }

    [Fact]
    public async Task Leases_are_listed_watched_preempted_and_released()
    {
        var resource = $"files-{Guid.NewGuid():N}/1";
        var prefix = resource.Split('/')[0];
        var ann = Mint.User("ann", ("hold", "**"));
        await AcquireAsync(ann, resource, "lease-of-ann-1");
        using var stop = new CancellationTokenSource();
        await using var watch = Running.Start(stop, ["leases", prefix, "--watch", "--output", "json", .. Remote]);
        await watch.WhenAsync("\"userId\":\"ann\"");
        var (_, table, _) = await Cli.RunAsync(["leases", prefix, .. Remote]);
        Assert.Matches($"(?m)^RESOURCE .*\n{resource} +ann ", table);

        var (code, _, error) = await Cli.RunAsync(["leases", "preempt", resource, "--reason", "needed", .. Remote]);
        Assert.True(code == 0, error);
        await watch.WhenAsync("lease.released");
        await AcquireAsync(ann, resource, "lease-of-ann-2");
        var wrong = await Cli.RunAsync([
            "leases",
            "preempt",
            resource,
            "--reason",
            "x",
            "--server",
            $"{one.Server.Address}",
            "--token",
            ann,
        ]);
        Assert.Equal(1, wrong.Code);
        Assert.Contains("(forbidden)", wrong.Error, StringComparison.Ordinal);

        (code, _, error) = await Cli.RunAsync([
            "leases",
            "release",
            resource,
            "--lease-id",
            "lease-of-ann-2",
            "--server",
            $"{one.Server.Address}",
            "--token",
            ann,
        ]);
        Assert.True(code == 0, error);
        var (_, _, none) = await Cli.RunAsync(["leases", prefix, .. Remote]);
        Assert.Contains("No lease is held", none, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_are_listed_and_ended_by_a_revocation()
    {
        var user = $"u-{Guid.NewGuid():N}";
        await using var stream = await Calls.OpenAsync(one.Server.Address, Mint.User(user), $"topic=users/{user}");
        await stream.UntilAsync("dunlin.hello");
        var listed = await Cli.JsonAsync(["connections", "--user", user, .. Remote]);
        Assert.Equal($"users/{user}", listed.GetProperty("topics")[0].GetString());
        var (_, table, _) = await Cli.RunAsync(["connections", "--user", user, .. Remote]);
        Assert.Contains(listed.GetProperty("connectionId").GetString()!, table, StringComparison.Ordinal);

        var revoked = await Cli.JsonAsync(["revoke", user, "--reason", "left", .. Remote]);
        Assert.Equal(user, revoked.GetProperty("userId").GetString());
        await stream.UntilAsync("dunlin.goodbye");
        var (_, _, none) = await Cli.RunAsync(["connections", "--user", user, .. Remote]);
        Assert.Contains("no open stream", none, StringComparison.Ordinal);
    }

    public static TheoryData<string> Commands => ["publish t/1 1", "tail t/1", "leases", "connections --user a", "revoke a"];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task No_server_exits_with_3_and_names_the_address(string command)
    {
        var url = $"http://127.0.0.1:{ServerProcess.FreePort()}";
        var (code, output, error) = await Cli.RunAsync([.. command.Split(' '), "--server", url, "--token", "x"]);
        Assert.Equal((3, ""), (code, output));
        Assert.Contains($"No server answers at {url}", error, StringComparison.Ordinal);
        Assert.Contains("--server or DUNLIN_SERVER", error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_wrong_token_exits_with_1_and_the_code_of_the_server(string command)
    {
        string[] arguments = [.. command.Split(' '), "--server", $"{one.Server.Address}", "--token", "wrong"];
        var (code, output, error) = await Cli.RunAsync(arguments);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("(not_signed_in)", error, StringComparison.Ordinal);
        (_, _, error) = await Cli.RunAsync([.. arguments, "--output", "json"]);
        Assert.Equal("not_signed_in", JsonDocument.Parse(error).RootElement.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("not JSON", "publish", "t/1", "{")]
    [InlineData("does not exist", "publish", "t/1", "@/nowhere/x")]
    [InlineData("is no position", "tail", "t/1", "--from", "yesterday")]
    [InlineData("--limit", "tail", "t/1", "--limit", "0")]
    [InlineData("is no time", "revoke", "a", "--before", "noon")]
    [InlineData("--user", "connections")]
    [InlineData("--lease-id", "leases", "release", "files/1")]
    public async Task Bad_input_exits_with_2_before_anything_is_sent(string reason, params string[] arguments)
    {
        var (code, output, error) = await Cli.RunAsync([.. arguments, .. Remote]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("invalid_topic", "publish", "a//b", "1")]
    [InlineData("invalid_field", "publish", "t/1", "1", "--type", "dunlin.x")]
    public async Task Refusal_of_the_server_is_printed_with_its_code(string code, params string[] arguments)
    {
        var result = await Cli.RunAsync([.. arguments, .. Remote]);
        Assert.Equal(1, result.Code);
        Assert.Contains($"({code})", result.Error, StringComparison.Ordinal);
    }

    private async Task AcquireAsync(string token, string resource, string leaseId)
    {
        var (status, answer) = await Calls.SendAsync(
            one.Server.Address,
            token,
            HttpMethod.Put,
            $"/dunlin/v1/leases/{resource}",
            new { leaseId, seconds = 300 }
        );
        Assert.True(status == 201, $"{status}: {answer}");
    }

    private static List<JsonElement> Lines(string output) =>
        [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private static string Data(JsonElement line) => line.GetProperty("data").GetRawText();
}
