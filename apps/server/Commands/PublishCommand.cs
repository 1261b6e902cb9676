using System.CommandLine;
using System.Text.Json;
using Dunlin.Client;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin publish</c>: publishes one event.</summary>
internal static class PublishCommand
{
    private static readonly Argument<string> Topic = new("topic") { Description = "The topic, such as teams/7/chat" };
    private static readonly Argument<string?> Data = new("data")
    {
        Description = "The data as JSON; @FILE reads a file, '-' or nothing the standard input",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private static readonly Option<string> Type = new("--type")
    {
        Description = "The type of the event",
        DefaultValueFactory = _ => "message",
        HelpName = "name",
    };
    private static readonly Option<string?> Key = new("--key")
    {
        Description = "Idempotency key: a repeated command with the same key publishes once",
        HelpName = "text",
    };
    private static readonly Option<bool> Transient = new("--transient") { Description = "Send it live only: not stored, not replayed" };
    private static readonly Option<bool> Text = new("--text") { Description = "The data is text and becomes a JSON string" };

    public static Command Create() =>
        new Command("publish", "Publish an event.").With(Topic, Data, Type, Key, Transient, Text).Calls(RunAsync);

    private static async Task RunAsync(CommandRun run, DunlinClient client)
    {
        var data = await ReadAsync(run.Given.GetValue(Data), run.CancellationToken);
        OutgoingEvent item;
        try
        {
            var json = run.Get(Text) ? $"\"{JsonEncodedText.Encode(data.TrimEnd('\n'))}\"" : data;
            item = OutgoingEvent.FromJson(run.Need(Topic), run.Get(Type)!, json, run.Get(Transient));
        }
        catch (JsonException exception)
        {
            throw CommandFault.Usage($"The data is not JSON: {exception.Message} Add --text to send it as a string.");
        }
        catch (ArgumentException exception)
        {
            throw CommandFault.Usage(exception.Message);
        }
        var result = await client.PublishAsync(item, run.Get(Key), run.CancellationToken);
        if (run.Output.IsJson)
            run.Output.JsonObject(json =>
            {
                json.WriteStartArray("positions");
                foreach (var position in result.Positions)
                    json.WriteStringValue(position?.ToString());
                json.WriteEndArray();
            });
        else
            run.Output.Line(result.Positions[0]?.ToString() ?? "sent");
    }

    private static async Task<string> ReadAsync(string? given, CancellationToken cancellationToken)
    {
        if (given is null or "-")
        {
            if (given is null && !Console.IsInputRedirected)
                throw CommandFault.Usage("publish needs data: JSON, @FILE, or the standard input.");
            return await Console.In.ReadToEndAsync(cancellationToken);
        }
        if (!given.StartsWith('@'))
            return given;
        return File.Exists(given[1..])
            ? await File.ReadAllTextAsync(given[1..], cancellationToken)
            : throw CommandFault.Usage($"The file '{given[1..]}' does not exist.");
    }
}
