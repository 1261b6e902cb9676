// Loads a Dunlin deployment with readers and publishers and reports the results.
//   dotnet run -c Release --project bench/load -- --url https://example.org --user alice --topic demo --connections 1000
#pragma warning disable MA0047 // one file, top-level statements
using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using Dunlin.Apps.Load;

Option<string> url = new("--url") { Description = "Address of the deployment.", DefaultValueFactory = _ => "http://127.0.0.1:5080" };
Option<string?> user = new("--user") { Description = "Signs in with --password." };
Option<string?> password = new("--password") { Description = "Of the user; DUNLIN_PASSWORD where it is left out." };
Option<string?> token = new("--token") { Description = "A bearer token, instead of a user." };
Option<string> topic = new("--topic") { Description = "Topic, or prefix of the topics.", DefaultValueFactory = _ => "load" };
Option<int> topics = Count("--topics", "Topics, below the prefix where there are several.", 1);
Option<int> connections = Count("--connections", "Event streams, spread over the topics.", 1_000);
Option<int> stalled = Count("--stalled", "Streams more that stop reading, and read on at the end.", 0);
Option<int> publishers = Count("--publishers", "How many publish at once.", 1);
Option<double> rate = new("--rate")
{
    Description = "Events per second of all publishers; 0 is as fast as the answers come.",
    DefaultValueFactory = _ => 0,
};
Option<int> size = Count("--size", "Bytes of data of an event.", 200);
Option<int> warmup = Count("--warmup", "Seconds before anything is counted.", 3);
Option<int> seconds = Count("--seconds", "Seconds that are counted.", 20);
Option<int?> pid = new("--pid") { Description = "The server's process on this machine: its memory and CPU are shown." };
Option<FileInfo?> plot = new("--plot") { Description = "Writes the run as an SVG picture." };
Option<FileInfo?> json = new("--json") { Description = "Writes the figures as JSON." };

url.Validators.Add(result =>
{
    if (!Uri.TryCreate(result.GetValueOrDefault<string>(), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        result.AddError("--url is no http or https address.");
});

var command = new RootCommand("Readers and publishers for a Dunlin deployment: rate, latency, gaps, and what it costs the server.")
{
    url,
    user,
    password,
    token,
    topic,
    topics,
    connections,
    stalled,
    publishers,
    rate,
    size,
    warmup,
    seconds,
    pid,
    plot,
    json,
};
command.SetAction(
    async (parsed, cancellation) =>
    {
        var options = new LoadOptions(
            new Uri(parsed.GetRequiredValue(url)),
            parsed.GetValue(user),
            parsed.GetValue(password) ?? Environment.GetEnvironmentVariable("DUNLIN_PASSWORD"),
            parsed.GetValue(token),
            parsed.GetRequiredValue(topic),
            parsed.GetValue(topics),
            parsed.GetValue(connections),
            parsed.GetValue(stalled),
            parsed.GetValue(publishers),
            parsed.GetValue(rate),
            parsed.GetValue(size),
            TimeSpan.FromSeconds(parsed.GetValue(warmup)),
            TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            parsed.GetValue(pid)
        );
        LoadResult result;
        try
        {
            result = await new LoadRun(options, line => Show(line)).RunAsync(cancellation);
        }
        catch (Exception error) when (error is LoadException or HttpRequestException or SocketException)
        {
            await Console.Error.WriteLineAsync($"{options.Url} cannot be used: {error.Message}");
            return 2;
        }
        Show("");
        foreach (var (name, value) in LoadReport.Rows(result))
            Console.WriteLine($"{name, -20} {value}");
        foreach (var line in LoadReport.Plot(result))
            Console.WriteLine(line);
        if (parsed.GetValue(plot) is { } picture)
            await File.WriteAllTextAsync(picture.FullName, SvgPlot.Draw(options, result), CancellationToken.None);
        if (parsed.GetValue(json) is { } file)
        {
            await using var stream = file.Create();
            await using var writer = new Utf8JsonWriter(stream);
            writer.WriteStartObject();
            LoadReport.Write(writer, result);
            writer.WriteEndObject();
        }
        return result.IsComplete ? 0 : 1;
    }
);
return await command.Parse(args).InvokeAsync();

// On a terminal only: replaces the line before.
static void Show(string line)
{
    if (!Console.IsErrorRedirected)
        Console.Error.Write($"\r{line}\u001b[K");
}

static Option<int> Count(string name, string description, int standard)
{
    var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => standard };
    option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int>() < 0)
            result.AddError($"{name} cannot be negative.");
    });
    return option;
}
