using System.CommandLine;
using System.Text.Json;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands.Webhooks;

/// <summary><c>dunlin webhooks add</c>: creates a webhook and prints its secret.</summary>
internal static class WebhookAddCommand
{
    private static readonly Argument<string> Url = new("url") { Description = "The address of the receiver" };
    private static readonly Argument<string[]> Topics = new("topic")
    {
        Description = "Topics or patterns, such as 'orders/**'",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<string?> Id = new("--id") { Description = "The id (default: a random one)", HelpName = "id" };
    private static readonly Option<string[]> Types = new("--types")
    {
        Description = "Deliver events of these types only, separated by commas; '*' may be the last character",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "types",
    };
    private static readonly Option<string?> Description = new("--description")
    {
        Description = "A text for administrators",
        HelpName = "text",
    };
    private static readonly Option<int?> MaxPerSecond = new("--max-per-second")
    {
        Description = "The maximum number of requests in a second; 0 for no limit (default 0)",
        HelpName = "n",
    };
    private static readonly Option<int?> MaxConcurrent = new("--max-concurrent")
    {
        Description = "The maximum number of requests at the same time (default 4)",
        HelpName = "n",
    };

    static WebhookAddCommand()
    {
        MaxPerSecond.RequireRange(0);
        MaxConcurrent.RequireRange(1);
        Url.Validators.Add(result =>
        {
            if (
                result.Tokens is [var token, ..]
                && !(Uri.TryCreate(token.Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            )
                result.AddError($"'{token.Value}' is no http or https address, such as https://example.com/hook.");
        });
    }

    public static Command Create() =>
        new Command("add", "Create a webhook and print its secret, which is not shown again.")
            .With(Url, Topics, Id, Types, Description, MaxPerSecond, MaxConcurrent)
            .Requests(RunAsync);

    private static async Task RunAsync(CommandRun run, RemoteHttp remote)
    {
        var webhook = await new WebhookCalls(remote, run.CancellationToken).AddAsync(json => Write(json, run));
        WebhooksCommand.Show(run, webhook);
        run.Output.Note("Keep the secret: it is not shown again. 'dunlin webhooks rotate' creates a new one.");
    }

    private static void Write(Utf8JsonWriter json, CommandRun run)
    {
        json.WriteString("url", run.Need(Url));
        Write(json, "patterns", run.Need(Topics));
        if (run.Get(Types) is { Length: > 0 } types)
            Write(json, "types", types.SelectMany(static type => type.Split(',', StringSplitOptions.RemoveEmptyEntries)));
        if (run.Get(Id) is { } id)
            json.WriteString("id", id);
        if (run.Get(Description) is { } description)
            json.WriteString("description", description);
        if (run.Get(MaxPerSecond) is { } rate)
            json.WriteNumber("maxPerSecond", rate);
        if (run.Get(MaxConcurrent) is { } concurrent)
            json.WriteNumber("maxConcurrent", concurrent);
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
