using System.Globalization;
using System.Net;
using System.Text;

namespace Dunlin.Apps.Load;

/// <summary>Draws the run as one SVG picture: deliveries over time, latency percentiles, memory and CPU of the server.</summary>
public static class SvgPlot
{
    private const int Width = 760;
    private const int Height = 220;
    private const int Left = 70;
    private const int Gap = 70;

    private static readonly double[] Percentiles = [10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100];

    public static string Draw(LoadOptions options, LoadResult result)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(result);
        var (tally, samples) = (result.Tally, result.Samples);
        var charts = new List<string>
        {
            Chart(0, "deliveries per second", "s", samples.Select(s => (s.At, s.DeliveriesPerSecond))),
            Chart(1, "latency in ms, publish to delivery, by percentile", "%", Shares(tally.Deliveries), ShareName),
        };
        if (samples.Any(s => s.ServerMiB is not null))
        {
            charts.Add(Chart(2, "memory of the server in MiB", "s", samples.Select(s => (s.At, s.ServerMiB ?? 0))));
            charts.Add(Chart(3, "CPU of the server in % of one core", "s", samples.Select(s => (s.At, 100 * (s.ServerCpuShare ?? 0)))));
        }
        var title = string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Connections:N0} connections, {options.Publishers} publishers, {options.Topics} topics, {options.Size} bytes"
        );
        var height = 50 + (charts.Count * (Height + Gap));
        return new StringBuilder()
            .Append(
                CultureInfo.InvariantCulture,
                $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Left + Width + 40}" height="{height}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2933">"""
            )
            .Append("""<rect width="100%" height="100%" fill="#fff"/>""")
            .Append(
                CultureInfo.InvariantCulture,
                $"""<text x="{Left}" y="28" font-size="16" font-weight="600">{WebUtility.HtmlEncode(title)}</text>"""
            )
            .AppendJoin("", charts)
            .Append("</svg>")
            .ToString();
    }

    private static IEnumerable<(double, double)> Shares(Histogram histogram) =>
        Percentiles.Select((percentile, step) => ((double)step, histogram.Percentile(percentile / 100) / 1000.0));

    private static string ShareName(double step) => Percentiles[(int)step].ToString("0.##", CultureInfo.InvariantCulture);

    private static string Chart(
        int index,
        string title,
        string unit,
        IEnumerable<(double X, double Y)> points,
        Func<double, string>? name = null
    )
    {
        var all = points.ToList();
        var (top, bottom) = (60 + (index * (Height + Gap)), 60 + (index * (Height + Gap)) + Height);
        var text = new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"""<text x="{Left}" y="{top - 8}" font-weight="600">{title}</text>"""
        );
        var (maxX, maxY) = (all.Count == 0 ? 1 : Math.Max(1, all.Max(p => p.X)), Round(all.Count == 0 ? 1 : all.Max(p => p.Y)));
        for (var line = 0; line <= 4; line++)
        {
            var y = bottom - (Height * line / 4);
            text.Append(
                CultureInfo.InvariantCulture,
                $"""<path d="M{Left} {y}H{Left + Width}" stroke="#e4e7eb"/><text x="{Left - 8}" y="{y + 4}" text-anchor="end">{maxY * line / 4:#,0.##}</text>"""
            );
        }
        var steps = name is null ? 6 : (int)maxX;
        for (var tick = 0; tick <= steps; tick++)
        {
            var value = maxX * tick / steps;
            text.Append(
                CultureInfo.InvariantCulture,
                $"""<text x="{Left + (Width * value / maxX):0.#}" y="{bottom + 18}" text-anchor="middle">{(name is null ? value.ToString("0.#", CultureInfo.InvariantCulture) : name(value))} {unit}</text>"""
            );
        }
        var path = string.Join(
            ' ',
            all.Select(
                (p, i) =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{(i == 0 ? 'M' : 'L')}{Left + (Width * p.X / maxX):0.#} {bottom - (Height * p.Y / maxY):0.#}"
                    )
            )
        );
        return text.Append(CultureInfo.InvariantCulture, $"""<path d="{path}" fill="none" stroke="#0f766e" stroke-width="2"/>""")
            .ToString();
    }

    /// <summary>Rounds up to 1, 2, 5, 10, … for readable axis labels.</summary>
    private static double Round(double value)
    {
        var unit = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 0.001))));
        return new[] { 1, 2, 5, 10 }.Select(step => step * unit).First(step => step >= value * 0.999);
    }
}
