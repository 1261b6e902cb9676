using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands.Webhooks;

/// <summary><c>dunlin webhooks dead</c> and <c>redrive</c>: list dead deliveries, and deliver them again.</summary>
internal static class WebhookDeadCommands
{
    private static readonly string[] Headings = ["MESSAGE", "TOPIC", "TYPE", "ATTEMPTS", "SINCE", "FAULT"];

    private static readonly Argument<string> Id = WebhookIds.Argument();
    private static readonly Option<string[]> Messages = new("--message")
    {
        Description = "Redrive this message only; repeat it for several",
        HelpName = "id",
    };
    private static readonly Option<DateTimeOffset?> From = Time("--from", "Redrive deliveries that are dead since this time or later");
    private static readonly Option<DateTimeOffset?> To = Time("--to", "Redrive deliveries that are dead since this time or earlier");

    public static Command CreateDead() => new Command("dead", "List the dead deliveries of a webhook.").With(Id).Requests(ListAsync);

    public static Command CreateRedrive() =>
        new Command("redrive", "Deliver dead deliveries again: all, or those that the options select.")
            .With(Id, Messages, From, To)
            .Requests(RedriveAsync);

    private static async Task ListAsync(CommandRun run, RemoteHttp remote)
    {
        var calls = new WebhookCalls(remote, run.CancellationToken);
        var dead = new List<JsonElement>();
        await foreach (var page in calls.ReadDeadAsync(run.Need(Id)))
        {
            if (run.Output.IsJson)
                foreach (var delivery in page)
                    run.Output.Json(delivery.WriteTo);
            else
                dead.AddRange(page);
        }
        if (run.Output.IsJson)
            return;
        if (dead.Count == 0)
            run.Output.Note($"'{run.Need(Id)}' has no dead delivery.");
        run.Output.Table(Headings, [.. dead.Select(Row)]);
    }

    // Page by page: each request is one short transaction of the server, and an interrupted command can be repeated.
    private static async Task RedriveAsync(CommandRun run, RemoteHttp remote)
    {
        var id = run.Need(Id);
        var calls = new WebhookCalls(remote, run.CancellationToken);
        var (redriven, read) = (0, 0);
        var messages = run.Get(Messages) is { Length: > 0 } given ? given.ToHashSet(StringComparer.Ordinal) : null;
        await foreach (var page in calls.ReadDeadAsync(id))
        {
            read += page.Count;
            var selected = page.Where(delivery => IsSelected(run, delivery, messages)).Select(Message).ToList();
            if (selected.Count > 0)
                redriven += await calls.RedriveAsync(id, selected);
            run.Output.Progress(Text($"redriven {redriven} of {read} dead deliveries"));
        }
        if (messages is not null && redriven < messages.Count)
            throw CommandFault.Failed(
                Text($"{redriven} of {messages.Count} messages were dead and are redriven."),
                $"'dunlin webhooks dead {id}' lists the dead ones."
            );
        if (run.Output.IsJson)
            run.Output.JsonObject(json => json.WriteNumber("redriven", redriven));
        else
            run.Output.Line(Text($"Redriven {redriven} deliveries of '{id}'."));
    }

    private static bool IsSelected(CommandRun run, JsonElement delivery, HashSet<string>? messages)
    {
        var at = delivery.GetProperty("at").GetDateTimeOffset();
        return messages?.Contains(Message(delivery)) != false
            && (run.Get(From) is not { } from || at >= from)
            && (run.Get(To) is not { } to || at <= to);
    }

    private static string[] Row(JsonElement delivery) =>
        [
            Message(delivery),
            $"{delivery.GetProperty("topic")}",
            $"{delivery.GetProperty("type")}",
            $"{delivery.GetProperty("attempts")}",
            delivery.GetProperty("at").GetDateTimeOffset().ToString("u", CultureInfo.InvariantCulture),
            $"{delivery.GetProperty("fault")}",
        ];

    private static string Message(JsonElement delivery) => delivery.GetProperty("message").GetString()!;

    private static Option<DateTimeOffset?> Time(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "time",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                    return time;
                result.AddError($"{name} '{text}' is no time, such as 2026-03-01T09:30:00Z.");
                return null;
            },
        };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
