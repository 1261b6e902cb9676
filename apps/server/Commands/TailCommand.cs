using System.CommandLine;
using System.Text.Json;
using Dunlin.Client;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin tail</c>: prints events as they are published, and resumes across restarts with a position file.</summary>
internal static class TailCommand
{
    private const string Start = "start";

    private static readonly Argument<string[]> Topics = new("topic")
    {
        Description = "Topics or patterns, such as teams/7/chat or 'teams/**'",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<string?> From = new("--from")
    {
        Description = "The position after which to begin, or 'start' (default: new events only)",
        HelpName = "position",
    };
    private static readonly Option<string?> PositionFile = new("--position-file")
    {
        Description = "Keeps the position in this file and resumes from it; --from is for the first run",
        HelpName = "file",
    };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object on each line, like --output json" };
    private static readonly Option<string[]> Types = new("--types")
    {
        Description = "Print events of these types only",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "name",
    };
    private static readonly Option<int?> Limit = new("--limit") { Description = "End after this many events", HelpName = "n" };

    static TailCommand() => Limit.RequireRange(1);

    public static Command Create() =>
        new Command("tail", "Print events as they are published. Reconnects, and continues where it was.")
            .With(Topics, From, PositionFile, Json, Types, Limit)
            .Calls(RunAsync);

    private static async Task RunAsync(CommandRun run, DunlinClient client)
    {
        var topics = run.Need(Topics);
        var file = run.Get(PositionFile) is { } path ? new PositionFile(path) : null;
        var server = RemoteServer.AddressOf(run);
        var types = run.Get(Types)?.SelectMany(type => type.Split(',', StringSplitOptions.RemoveEmptyEntries)).ToHashSet() ?? [];
        // Ends the command if the first attempt finds no server: the address is more likely to be wrong than the server to be late.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(run.CancellationToken);
        CommandFault? unreachable = null;
        var options = new SubscribeOptions
        {
            After = await BeginAsync(run, client, file),
            OnStateChanged = state =>
            {
                if (state is not { Status: ConnectionStatus.Waiting, Problem: { } problem })
                    return;
                if (state is { Stream: <= 1, Attempt: <= 1 } && problem.Kind == ProblemKind.Network)
                {
                    unreachable = RemoteCalls.FaultOf(problem, server);
                    stop.Cancel();
                    return;
                }
                run.Output.Note($"{problem.Detail ?? problem.Title} Trying again in {state.Delay.TotalSeconds:0.0} s.");
            },
        };
        var left = run.Get(Limit);
        try
        {
            await foreach (var item in client.SubscribeAsync(topics, options, stop.Token))
            {
                if (item.IsReset)
                    Reset(run, item);
                else if (types.Count == 0 || types.Contains(item.Type))
                    Print(run, item);
                run.Output.Flush();
                file?.Save(item.Position, isLast: false);
                if (!item.IsReset && (types.Count == 0 || types.Contains(item.Type)) && --left == 0)
                    break;
            }
        }
        catch (OperationCanceledException) when (unreachable is not null)
        {
            throw unreachable;
        }
        finally
        {
            file?.Save(null, isLast: true);
        }
    }

    /// <summary>Returns the position after which to begin; null for the next event.</summary>
    private static async Task<StreamPosition?> BeginAsync(CommandRun run, DunlinClient client, PositionFile? file)
    {
        if (file?.Load() is { } saved)
            return saved;
        switch (run.Get(From))
        {
            case null when file is null:
                return null;
            case null:
                // Saved before the first event, so that a restart also receives the events published in between.
                var head = await HeadAsync(run, client);
                file.Save(head, isLast: true);
                return head;
            case Start:
                // Offset 0 of the present epoch is before the first event.
                return (await HeadAsync(run, client)).TryGetOffset(out var epoch, out _) ? new StreamPosition($"{epoch:x8}-0") : null;
            case var text when Dunlin.Journal.Position.TryParse(text, out _):
                return new StreamPosition(text);
            case var text:
                throw CommandFault.Usage($"--from '{text}' is no position, such as 9f3c21aa-1042, and not 'start'.");
        }
    }

    // A list of leases is the cheapest answer with the position of the journal, and needs no right.
    private static async Task<StreamPosition> HeadAsync(CommandRun run, DunlinClient client) =>
        (await client.Leases.ListAsync(limit: 1, cancellationToken: run.CancellationToken)).Position;

    private static bool IsJson(CommandRun run) => run.Output.IsJson || run.Get(Json);

    private static void Print(CommandRun run, ReceivedEvent item)
    {
        if (!IsJson(run))
        {
            var output = run.Output;
            var position = output.Paint($"{item.Position}", Ink.Dim);
            var topics = string.Join(',', item.AlsoOn.Prepend(item.Topic));
            output.Line($"{position}  {topics}  {output.Paint(item.Type, Ink.Bold)}  {item.GetText().ReplaceLineEndings(" ")}");
            return;
        }
        run.Output.JsonObject(json =>
        {
            json.WriteString("position", item.Position?.ToString());
            json.WriteString("topic", item.Topic);
            if (item.AlsoOn.Count > 0)
            {
                json.WriteStartArray("alsoOn");
                foreach (var topic in item.AlsoOn)
                    json.WriteStringValue(topic);
                json.WriteEndArray();
            }
            json.WriteString("type", item.Type);
            if (item.Format is { } format)
                json.WriteString("format", format);
            json.WritePropertyName("data");
            if (item.Format is not null)
            {
                json.WriteStringValue(item.GetText());
                return;
            }
            try
            {
                // Parsed, so that data with line breaks stays on the line.
                using var data = JsonDocument.Parse(item.Data);
                data.RootElement.WriteTo(json);
            }
            catch (JsonException)
            {
                json.WriteStringValue(item.GetText());
            }
        });
    }

    private static void Reset(CommandRun run, ReceivedEvent item)
    {
        if (IsJson(run))
            run.Output.JsonObject(json =>
            {
                json.WriteString("reset", item.ResetReason);
                json.WriteString("position", item.Position?.ToString());
            });
        else
            run.Output.Note(
                $"Events are missing here ({item.ResetReason}): the journal no longer has them. Continuing at {item.Position}."
            );
    }
}
