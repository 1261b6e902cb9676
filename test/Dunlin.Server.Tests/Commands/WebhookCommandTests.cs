using System.Text.Json;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Commands;

/// <summary><c>dunlin webhooks</c> at a server with a receiver.</summary>
public sealed class WebhookCommandTests(WebhookServer one) : IClassFixture<WebhookServer>
{
    private static readonly string Admin = Mint.Token("admin", [("publish", "**")], ("roles", new[] { "admin" }));

    private readonly string _id = $"w-{Guid.NewGuid():N}";

    private string[] Remote => ["--server", $"{one.Server.Address}", "--token", Admin];

    private string Topic => $"orders/{_id}";

    public static TheoryData<string> Commands =>
        [
            "list",
            "show ID",
            "add https://example.com/hook orders/**",
            "pause ID",
            "resume ID",
            "rotate ID",
            "test ID",
            "dead ID",
            "redrive ID",
            "remove ID --yes",
        ];

    [Fact]
    public async Task A_webhook_is_created_listed_shown_and_removed()
    {
        var added = await AddAsync("--types", "order.*,e", "--description", "The shop", "--max-per-second", "5", "--max-concurrent", "2");
        Assert.StartsWith("whsec_", added.GetProperty("secret").GetString(), StringComparison.Ordinal);
        Assert.Equal("""["order.*","e"]""", added.GetProperty("types").GetRawText());
        Assert.Equal((5, 2), (added.GetProperty("maxPerSecond").GetInt32(), added.GetProperty("maxConcurrent").GetInt32()));

        var (_, table, _) = await RunAsync("list");
        Assert.Matches($"(?m)^ID +STATE +WAITING +DEAD +LAG +URL$", table);
        Assert.Matches($"(?m)^{_id} +active +0 +0 +\\d+ +{one.Receiver.Url}$", table);
        var (_, shown, _) = await RunAsync("show", _id);
        Assert.Contains("description    The shop\n", shown, StringComparison.Ordinal);
        Assert.Contains("types          order.* e\n", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", shown, StringComparison.Ordinal);

        var (code, output, error) = await RunAsync("remove", _id, "--yes");
        Assert.Equal((0, $"Removed '{_id}'.\n", ""), (code, output, error));
        (code, _, error) = await RunAsync("show", _id);
        Assert.Equal(1, code);
        Assert.Contains($"There is no webhook with the id '{_id}'. (not_found)", error, StringComparison.Ordinal);
        Assert.Contains("'dunlin webhooks list' lists the ids", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_paused_webhook_delivers_when_it_is_resumed()
    {
        await AddAsync();
        Assert.Equal($"Paused '{_id}' with 0 waiting deliveries.\n", (await RunAsync("pause", _id)).Output);
        Assert.Equal("paused", await MemberAsync("state"));
        await Calls.PublishAsync(one.Server.Address, Admin, Topic, 7);
        Assert.StartsWith($"Resumed '{_id}'", (await RunAsync("resume", _id)).Output, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => Received().Any());
        Assert.Equal("7", Received().First().Json.GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_new_secret_is_printed_with_the_end_of_the_former_one()
    {
        var former = (await AddAsync()).GetProperty("secret").GetString();
        var (code, output, error) = await RunAsync("rotate", _id);
        Assert.Equal(0, code);
        Assert.Matches("(?m)^secret +whsec_", output);
        Assert.DoesNotContain(former!, output, StringComparison.Ordinal);
        Assert.Contains("The former secret signs too until 2", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_prints_the_answer_and_exits_with_1_after_a_failure()
    {
        await AddAsync();
        var (code, output, _) = await RunAsync("test", _id);
        Assert.Equal(0, code);
        Assert.StartsWith($"The receiver of '{_id}' answered 200 to msg_test_", output, StringComparison.Ordinal);
        await RunAsync("remove", _id, "--yes");
        await AddToAsync(new Uri(one.Receiver.Address, "/fail").AbsoluteUri);
        (code, output, var error) = await RunAsync("test", _id);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains($"The test message of '{_id}' was not delivered: ", error, StringComparison.Ordinal);
        Assert.Contains("500", error, StringComparison.Ordinal);
        (code, output, _) = await RunAsync("test", _id, "--output", "json");
        Assert.Equal(1, code);
        Assert.False(JsonDocument.Parse(output).RootElement.GetProperty("delivered").GetBoolean());
    }

    [Fact]
    public async Task Dead_deliveries_are_listed_and_the_selected_ones_redriven()
    {
        one.IsBusy = true;
        await AddToAsync(new Uri(one.Receiver.Address, "/busy").AbsoluteUri);
        for (var i = 1; i <= 3; i++)
            await Calls.PublishAsync(one.Server.Address, Admin, Topic, i);
        await Eventually.TrueAsync(async () => await MemberAsync("dead") == "3");
        var (_, table, _) = await RunAsync("dead", _id);
        Assert.Matches($"(?m)^msg_\\S+ +{Topic} +e +2 +2\\S+ \\S+ +.*503", table);
        var dead = (await RunAsync("dead", _id, "--output", "json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var first = JsonDocument.Parse(dead[0]).RootElement.GetProperty("message").GetString()!;

        one.IsBusy = false;
        Assert.Equal($"Redriven 0 deliveries of '{_id}'.\n", (await RunAsync("redrive", _id, "--to", "2020-01-01T00:00:00Z")).Output);
        Assert.Equal($"Redriven 1 deliveries of '{_id}'.\n", (await RunAsync("redrive", _id, "--message", first)).Output);
        await Eventually.TrueAsync(() => Received().Any(message => message.Id == first));
        var again = await RunAsync("redrive", _id, "--message", first);
        Assert.Equal(1, again.Code);
        Assert.Contains("0 of 1 messages were dead and are redriven.", again.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await Cli.JsonAsync(["webhooks", "redrive", _id, .. Remote])).GetProperty("redriven").GetInt32());
        await Eventually.TrueAsync(() => Received().Select(message => message.Id).Distinct().Count() == 3);
        Assert.Contains("has no dead delivery", (await RunAsync("dead", _id)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Removal_without_terminal_needs_yes_and_with_one_the_id()
    {
        await using var program = new ServerProgram();
        program.Settings["Dunlin__Webhooks__Networks__0"] = "127.0.0.0/8";
        await program.StartAsync("--webhooks");
        string[] remote = ["--server", $"{program.Address}", "--data", program.Data];
        var added = await program.RunCommandAsync(["webhooks", "add", one.Receiver.Url, "orders/**", "--id", "shop", .. remote]);
        Assert.True(added.Code == 0, added.Error);
        Assert.Matches("(?m)^secret +whsec_", added.Output);
        Assert.Contains("local signing key", added.Error, StringComparison.Ordinal);
        var refused = await program.RunOtherAsync("bash", "-c", $"{Shell("remove", remote)} < /dev/null");
        Assert.Equal(2, refused.Code);
        Assert.Contains("webhooks remove needs --yes", refused.Error, StringComparison.Ordinal);

        // script(1) gives the command a terminal.
        async Task<ProgramResult> AnswerAsync(string text) =>
            await program.RunOtherAsync("bash", "-c", $"(echo {text}; cat) | script -qefc \"{Shell("remove", remote)}\" /dev/null");
        var wrong = await AnswerAsync("other");
        Assert.Equal(1, wrong.Code);
        Assert.Contains("Removing 'shop' deletes 0 waiting and 0 dead deliveries.", wrong.Output, StringComparison.Ordinal);
        Assert.Contains("'shop' was not removed.", wrong.Output, StringComparison.Ordinal);
        var right = await AnswerAsync("shop");
        Assert.Equal(0, right.Code);
        Assert.Contains("Removed 'shop'.", right.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task No_server_exits_with_3_and_names_the_address(string command)
    {
        var url = $"http://127.0.0.1:{ServerProcess.FreePort()}";
        var (code, output, error) = await Cli.RunAsync([.. Split(command), "--server", url, "--token", "x"]);
        Assert.Equal((3, ""), (code, output));
        Assert.Contains($"No server answers at {url}", error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Missing_role_and_wrong_token_exit_with_1_and_a_code(string command)
    {
        foreach (var (token, expected) in new[] { ("wrong", "not_signed_in"), (Mint.User("ann"), "forbidden") })
        {
            var (code, output, error) = await Cli.RunAsync([.. Split(command), "--server", $"{one.Server.Address}", "--token", token]);
            Assert.Equal((1, ""), (code, output));
            Assert.Contains($"({expected})", error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Server_without_webhooks_is_named_as_the_reason(string command)
    {
        var (code, output, error) = await Cli.RunAsync([.. Split(command), "--server", $"{one.Plain.Address}", "--token", Admin]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("This server has no webhooks. (not_found)", error, StringComparison.Ordinal);
        Assert.Contains("dunlin serve --webhooks", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("is no http or https address", "add", "ftp://example.com", "orders/**")]
    [InlineData("is no http or https address", "add", "nonsense", "orders/**")]
    [InlineData("add", "add", "https://example.com")]
    [InlineData("--max-concurrent", "add", "https://example.com", "a/b", "--max-concurrent", "0")]
    [InlineData("is no id of a webhook", "show", "../events")]
    [InlineData("is no id of a webhook", "remove", "..", "--yes")]
    [InlineData("is no time", "redrive", "shop", "--from", "noon")]
    public async Task Bad_input_exits_with_2_before_anything_is_sent(string reason, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'url' is refused", "http://10.0.0.1/hook", "orders/**")]
    [InlineData("'patterns' has a value", "https://example.com/hook", "a//b")]
    public async Task A_refused_setting_is_printed_with_its_field(string reason, string url, string pattern)
    {
        var (code, output, error) = await RunAsync("add", url, pattern);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.Contains("(invalid_field)", error, StringComparison.Ordinal);
    }

    private static string Shell(string command, string[] remote) =>
        $"{ServerProgram.Command} webhooks {command} shop {string.Join(' ', remote)}";

    private string[] Split(string command) => ["webhooks", .. command.Replace("ID", _id, StringComparison.Ordinal).Split(' ')];

    private Task<CliResult> RunAsync(params string[] arguments) => Cli.RunAsync(["webhooks", .. arguments, .. Remote]);

    private Task<JsonElement> AddAsync(params string[] options) => AddToAsync(one.Receiver.Url, options);

    private Task<JsonElement> AddToAsync(string url, params string[] options) =>
        Cli.JsonAsync(["webhooks", "add", url, Topic, "--id", _id, .. options, .. Remote]);

    private async Task<string> MemberAsync(string name) =>
        $"{(await Cli.JsonAsync(["webhooks", "show", _id, .. Remote])).GetProperty(name)}";

    private IEnumerable<WebhookReceiver.Message> Received() =>
        one.Receiver.Accepted.Where(message => message.Json.TryGetProperty("topic", out var topic) && topic.GetString() == Topic);
}
