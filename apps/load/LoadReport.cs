using System.Globalization;
using System.Text.Json;

namespace Dunlin.Apps.Load;

/// <summary>Shows the result of a run as rows, as a picture of text and as JSON.</summary>
public static class LoadReport
{
    private const int PlotWidth = 40;

    private static readonly double[] Percentiles = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

    /// <summary>Returns the names and values of a table.</summary>
    public static IEnumerable<(string Name, string Value)> Rows(LoadResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var tally = result.Tally;
        yield return ("publishes", Text($"{result.PublishesPerSecond:#,0} /s"));
        yield return ("deliveries", Text($"{result.DeliveriesPerSecond:#,0} /s over {result.Time.TotalSeconds:0.0} s"));
        yield return ("publish to delivery", Latency(tally.Deliveries));
        yield return ("publish to answer", Latency(tally.Answers));
        yield return ("missed, repeated", Text($"{tally.Missed}, {tally.Repeated}"));
        yield return ("refused, reconnects", Text($"{tally.Refused}, {tally.Reconnects}"));
        if (result.CpuMicrosecondsPerDelivery is { } cpu)
            yield return ("server", Text($"{cpu:0.00} us of CPU per delivery, {result.KibPerConnection:0.0} KiB per connection"));
        if (result.Stalled is { } stalled)
        {
            var memory = stalled.ServerMiB is { } mib ? Text($"; the server's memory before that {mib:0.0} MiB") : "";
            yield return (
                "stalled readers",
                Text($"{stalled.Recovered} of {stalled.Streams} had everything after {stalled.Time.TotalSeconds:0.0} s{memory}")
            );
        }
        if (tally.Problem is { } problem)
            yield return ("last problem", problem);
    }

    /// <summary>Returns the latency from publish to delivery as one bar for each percentile.</summary>
    public static IEnumerable<string> Plot(LoadResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var latencies = result.Tally.Deliveries;
        var max = Math.Max(1, latencies.Max);
        foreach (var percentile in Percentiles)
        {
            var value = latencies.Percentile(percentile);
            var bar = new string('#', (int)Math.Ceiling((double)value * PlotWidth / max));
            yield return Text($"{$"p{percentile * 100:0.#}", 6} {value / 1000.0, 10:0.00} ms  {bar}");
        }
    }

    /// <summary>Writes the figures as members of a JSON object.</summary>
    public static void Write(Utf8JsonWriter json, LoadResult result)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(result);
        var tally = result.Tally;
        json.WriteNumber("publishesPerSecond", Math.Round(result.PublishesPerSecond, 3));
        json.WriteNumber("deliveriesPerSecond", Math.Round(result.DeliveriesPerSecond, 3));
        json.WriteNumber("p50Ms", tally.Deliveries.Percentile(0.5) / 1000.0);
        json.WriteNumber("p99Ms", tally.Deliveries.Percentile(0.99) / 1000.0);
        json.WriteNumber("answerP50Ms", tally.Answers.Percentile(0.5) / 1000.0);
        json.WriteNumber("answerP99Ms", tally.Answers.Percentile(0.99) / 1000.0);
        json.WriteNumber("missed", tally.Missed);
        json.WriteNumber("repeated", tally.Repeated);
        json.WriteNumber("refused", tally.Refused);
        json.WriteNumber("reconnects", tally.Reconnects);
        WriteIfKnown(json, "cpuMicrosecondsPerDelivery", result.CpuMicrosecondsPerDelivery);
        WriteIfKnown(json, "kibPerConnection", result.KibPerConnection);
        json.WriteStartArray("samples");
        foreach (var sample in result.Samples)
        {
            json.WriteStartObject();
            json.WriteNumber("at", Math.Round(sample.At, 3));
            json.WriteNumber("deliveriesPerSecond", Math.Round(sample.DeliveriesPerSecond, 3));
            json.WriteNumber("publishesPerSecond", Math.Round(sample.PublishesPerSecond, 3));
            WriteIfKnown(json, "serverMiB", sample.ServerMiB);
            WriteIfKnown(json, "serverCpuShare", sample.ServerCpuShare);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    internal static string Latency(Histogram histogram) =>
        Text(
            $"p50 {histogram.Percentile(0.5) / 1000.0:0.00} ms, p90 {histogram.Percentile(0.9) / 1000.0:0.00}, p99 {histogram.Percentile(0.99) / 1000.0:0.00}, max {histogram.Max / 1000.0:0.00}"
        );

    private static void WriteIfKnown(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } known)
            json.WriteNumber(name, Math.Round(known, 3));
        else
            json.WriteNull(name);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
