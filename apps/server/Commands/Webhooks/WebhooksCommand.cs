using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands.Webhooks;

/// <summary><c>dunlin webhooks</c>: lists, creates, changes, tests and removes webhooks.</summary>
internal static class WebhooksCommand
{
    private static readonly string[] Headings = ["ID", "STATE", "WAITING", "DEAD", "LAG", "URL"];

    private static readonly Argument<string> Id = WebhookIds.Argument();
    private static readonly Option<bool> Yes = new("--yes") { Description = "Remove it without a question" };

    public static Command Create() =>
        new Command("webhooks", "Manage webhooks. Needs the role 'admin'.").With(
            new Command("list", "List all webhooks.").Requests(ListAsync),
            new Command("show", "Show one webhook.").With(Id).Requests(ShowAsync),
            WebhookAddCommand.Create(),
            new Command("pause", "Stop the deliveries. The events wait.")
                .With(Id)
                .Requests((run, remote) => ChangeAsync(run, remote, "pause", "Paused")),
            new Command("resume", "Start the deliveries again, also those of a disabled webhook.")
                .With(Id)
                .Requests((run, remote) => ChangeAsync(run, remote, "resume", "Resumed")),
            new Command("rotate", "Create a new secret and print it. The former one signs too for a day.").With(Id).Requests(RotateAsync),
            new Command("test", "Send a test message at once and print the answer.").With(Id).Requests(TestAsync),
            WebhookDeadCommands.CreateDead(),
            WebhookDeadCommands.CreateRedrive(),
            new Command("remove", "Remove a webhook with its waiting and dead deliveries.").With(Id, Yes).Requests(RemoveAsync)
        );

    private static async Task ListAsync(CommandRun run, RemoteHttp remote)
    {
        var webhooks = await new WebhookCalls(remote, run.CancellationToken).ListAsync();
        if (run.Output.IsJson)
            foreach (var webhook in webhooks)
                run.Output.Json(webhook.WriteTo);
        else if (webhooks.Count == 0)
            run.Output.Note("There is no webhook.");
        else
            run.Output.Table(Headings, [.. webhooks.Select(Row)]);
    }

    private static async Task ShowAsync(CommandRun run, RemoteHttp remote) =>
        Show(run, await new WebhookCalls(remote, run.CancellationToken).GetAsync(run.Need(Id)));

    private static async Task ChangeAsync(CommandRun run, RemoteHttp remote, string action, string done)
    {
        var webhook = await new WebhookCalls(remote, run.CancellationToken).PostAsync(run.Need(Id), action);
        if (run.Output.IsJson)
            run.Output.Json(webhook.WriteTo);
        else
            run.Output.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{done} '{run.Need(Id)}' with {Number(webhook, "waiting")} waiting deliveries."
                )
            );
    }

    private static async Task RotateAsync(CommandRun run, RemoteHttp remote)
    {
        var webhook = await new WebhookCalls(remote, run.CancellationToken).PostAsync(run.Need(Id), "rotate");
        Show(run, webhook);
        if (Text(webhook, "formerSecretUntil") is { } end)
            run.Output.Note($"The former secret signs too until {end}. Change the receiver until then. The secret is not shown again.");
    }

    private static async Task TestAsync(CommandRun run, RemoteHttp remote)
    {
        var answer = await new WebhookCalls(remote, run.CancellationToken).PostAsync(run.Need(Id), "test");
        var isDelivered = answer.GetProperty("delivered").GetBoolean();
        if (run.Output.IsJson)
            run.Output.Json(answer.WriteTo);
        else if (isDelivered)
            run.Output.Line($"The receiver of '{run.Need(Id)}' answered {answer.GetProperty("status")} to {Text(answer, "message")}.");
        if (!isDelivered)
            throw CommandFault.Failed(
                $"The test message of '{run.Need(Id)}' was not delivered: {Text(answer, "fault")}",
                "Correct the receiver or the URL, then test again."
            );
    }

    private static async Task RemoveAsync(CommandRun run, RemoteHttp remote)
    {
        var id = run.Need(Id);
        var calls = new WebhookCalls(remote, run.CancellationToken);
        if (!run.Get(Yes))
        {
            if (Console.IsInputRedirected)
                throw CommandFault.Usage($"webhooks remove needs --yes, because nobody can be asked whether to remove '{id}'.");
            var webhook = await calls.GetAsync(id);
            run.Output.Note(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Removing '{id}' deletes {Number(webhook, "waiting")} waiting and {Number(webhook, "dead")} dead deliveries. "
                        + $"Enter its id to remove it:"
                )
            );
            if ((await Console.In.ReadLineAsync(run.CancellationToken))?.Trim() != id)
                throw CommandFault.Failed($"'{id}' was not removed.");
        }
        await calls.RemoveAsync(id);
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteString("id", id));
        else
            run.Output.Line($"Removed '{id}'.");
    }

    /// <summary>Writes a webhook: as JSON, or its members as lines.</summary>
    public static void Show(CommandRun run, JsonElement webhook)
    {
        if (run.Output.IsJson)
        {
            run.Output.Json(webhook.WriteTo);
            return;
        }
        foreach (var member in webhook.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Null)
                run.Output.Line($"{run.Output.Paint($"{member.Name, -14}", Ink.Bold)} {Plain(member.Value)}");
        }
    }

    private static string[] Row(JsonElement webhook) =>
        [
            Text(webhook, "id")!,
            Text(webhook, "state")!,
            $"{webhook.GetProperty("waiting")}",
            $"{webhook.GetProperty("dead")}",
            $"{webhook.GetProperty("lag")}",
            Text(webhook, "url")!,
        ];

    private static string Plain(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? string.Join(' ', value.EnumerateArray().Select(Plain)) : $"{value}";

    private static long Number(JsonElement webhook, string name) => webhook.GetProperty(name).GetInt64();

    private static string? Text(JsonElement webhook, string name) => webhook.TryGetProperty(name, out var value) ? value.GetString() : null;
}
