using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Dunlin.Bench.Load;

/// <summary>Publishes to one topic, one event at a time, at a steady rate or as fast as the answers come.</summary>
internal sealed class Publisher(HttpClient http, int index, string topic, LoadOptions options, Tally tally)
{
    /// <summary>Events accepted so far; they are numbered from 0.</summary>
    public long Accepted { get; private set; }

    public string Topic => topic;

    public int Index => index;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = options.Rate > 0 ? TimeSpan.FromSeconds(options.Publishers / options.Rate) : TimeSpan.Zero;
        var began = Stopwatch.GetTimestamp();
        try
        {
            for (long sent = 0; !cancellationToken.IsCancellationRequested; sent++)
            {
                // Against the beginning, so that a slow answer does not lower the rate for ever.
                var due = (pause * (sent + ((double)index / options.Publishers))) - Stopwatch.GetElapsedTime(began);
                if (due > TimeSpan.Zero)
                    await Task.Delay(due, TimeProvider.System, cancellationToken);
                if (await PublishAsync(Accepted, cancellationToken))
                    Accepted++;
            }
        }
        catch (OperationCanceledException)
        {
            // The end of the run.
        }
    }

    // The number of a refused event is used again, so that readers miss nothing that was never accepted.
    private async Task<bool> PublishAsync(long number, CancellationToken cancellationToken)
    {
        var at = Stopwatch.GetTimestamp();
        try
        {
            using var body = new StringContent(Payload.Body(topic, index, number, options.Size), Encoding.UTF8, "application/json");
            // An answer that was lost is asked for again; the event is not published twice.
            body.Headers.Add("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"load-{Payload.Run}-{index}-{number}"));
            using var response = await http.PostAsync("dunlin/v1/events", body, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                tally.CountAnswer((long)Stopwatch.GetElapsedTime(at).TotalMicroseconds);
                return true;
            }
            var problem = await response.Content.ReadAsStringAsync(cancellationToken);
            tally.CountRefusal($"{response.StatusCode}: {problem}");
        }
        catch (HttpRequestException error)
        {
            tally.CountRefusal(error.Message);
        }
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        return false;
    }
}
