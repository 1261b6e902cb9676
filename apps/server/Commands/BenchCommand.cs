using System.CommandLine;
using System.Net.Sockets;
using Dunlin.Apps.Load;
using Dunlin.Server.Commands.Remote;
using Dunlin.Server.Doctor;

namespace Dunlin.Server.Commands;

/// <summary><c>dunlin bench</c>: loads a server with readers and publishers, and measures rate, latency and gaps.</summary>
internal static class BenchCommand
{
    private static readonly Option<string> Topic = new("--topic")
    {
        Description = "Topic, or prefix of the topics",
        DefaultValueFactory = _ => "load",
        HelpName = "name",
    };
    private static readonly Option<int> Topics = Count("--topics", "Topics, below the prefix where there are several", 1, 1);
    private static readonly Option<int> Readers = Count("--readers", "Event streams, spread over the topics", 40, 0);
    private static readonly Option<int> Stalled = Count("--stalled", "Streams more that stop reading, and continue at the end", 0, 0);
    private static readonly Option<int> Publishers = Count("--publishers", "Publishers, each with one request at a time", 1, 1);
    private static readonly Option<double> Rate = new("--rate")
    {
        Description = "Events per second of all publishers; 0 is as fast as the answers come",
        DefaultValueFactory = _ => 0,
        HelpName = "n",
    };
    private static readonly Option<int> Size = Count("--size", "Bytes of data of an event", 200, 0);
    private static readonly Option<int> Warmup = Count("--warmup", "Seconds before anything is counted", 2, 0);
    private static readonly Option<int> Seconds = Count("--seconds", "Seconds that are counted", 10, 1);
    private static readonly Option<int?> Pid = new("--pid")
    {
        Description = "The server's process on this machine, to measure its memory and CPU",
        HelpName = "id",
    };
    private static readonly Option<string?> Plot = new("--plot") { Description = "Write the run as an SVG picture", HelpName = "file" };
    private static readonly Option<string?> YesLoad = new("--yes-load")
    {
        Description = "Repeat the host of --server to load a server on another machine",
        HelpName = "host",
    };

    static BenchCommand() => Rate.RequireRange(0);

    public static Command Create() =>
        new Command("bench", "Load a server with readers and publishers. Exits with 1 if an event is missed or repeated.")
            .With(RemoteServer.Server, RemoteServer.Token, Topic, Topics, Readers, Stalled, Publishers, Rate, Size, Warmup, Seconds)
            .With(Pid, Plot, YesLoad)
            .Runs(RunAsync);

    private static async Task<int> RunAsync(CommandRun run)
    {
        var server = RemoteServer.AddressOf(run);
        if (!RemoteServer.IsLocal(server) && run.Get(YesLoad) != server.Host)
        {
            throw CommandFault.Usage(
                $"'{server.Host}' is not this machine. Add --yes-load {server.Host} if you may put load on it: its users will notice."
            );
        }
        var options = new LoadOptions(
            server,
            User: null,
            Password: null,
            RemoteServer.TokenOf(run, server)(),
            run.Get(Topic)!,
            run.Get(Topics),
            run.Get(Readers),
            run.Get(Stalled),
            run.Get(Publishers),
            run.Get(Rate),
            run.Get(Size),
            TimeSpan.FromSeconds(run.Get(Warmup)),
            TimeSpan.FromSeconds(run.Get(Seconds)),
            run.Get(Pid)
        );
        await RequireAnswerAsync(server, run.CancellationToken);
        LoadResult result;
        try
        {
            result = await new LoadRun(options, run.Output.Progress).RunAsync(run.CancellationToken);
        }
        catch (LoadException exception)
        {
            throw CommandFault.Failed(exception.Message);
        }
        if (run.Get(Plot) is { } picture)
            await File.WriteAllTextAsync(picture, SvgPlot.Draw(options, result), run.CancellationToken);
        if (run.Output.IsJson)
            run.Output.JsonObject(json => LoadReport.Write(json, result));
        else
            Show(run.Output, result);
        if (result.IsComplete)
            return ExitCodes.Ok;
        run.Output.Note(Reason(result));
        return ExitCodes.Failed;
    }

    private static string Reason(LoadResult result)
    {
        var tally = result.Tally;
        if (tally.Missed + tally.Repeated > 0)
            return FormattableString.Invariant($"{tally.Missed} events were missed and {tally.Repeated} repeated.");
        if (result.Delivered == 0)
            return $"No event was delivered. {tally.Problem ?? "No request failed: add time with --seconds."}";
        return "Not every stalled reader received all events.";
    }

    private static void Show(CommandOutput output, LoadResult result)
    {
        foreach (var (name, value) in LoadReport.Rows(result))
            output.Line($"{output.Paint($"{name, -20}", Ink.Bold)} {value}");
        output.Line("");
        output.Line(output.Paint("publish to delivery, by percentile", Ink.Bold));
        foreach (var line in LoadReport.Plot(result))
            output.Line(line);
    }

    // Readers reconnect for two minutes, so an address without a server is recognised here.
    private static async Task RequireAnswerAsync(Uri server, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = server, Timeout = TimeSpan.FromSeconds(10) };
        try
        {
            using var answer = await http.GetAsync("healthz/live", cancellationToken);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or SocketException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw CommandFault.Unreachable(server, ServerChecks.Innermost(exception), exception);
        }
    }

    private static Option<int> Count(string name, string description, int standard, int least)
    {
        var option = new Option<int>(name)
        {
            Description = description,
            DefaultValueFactory = _ => standard,
            HelpName = "n",
        };
        option.RequireRange(least);
        return option;
    }
}
