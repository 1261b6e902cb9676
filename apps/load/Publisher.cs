using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Dunlin.Apps.Load;

/// <summary>Publishes to one topic, one event at a time, at a constant rate or without a pause.</summary>
public sealed class Publisher(HttpClient http, int index, string topic, LoadOptions options, Tally tally)
{
    /// <summary>Number of accepted events, which are numbered from 0.</summary>
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
                // Relative to the start of the run, so that a slow answer does not lower the rate permanently.
                var due = (pause * (sent + ((double)index / options.Publishers))) - Stopwatch.GetElapsedTime(began);
                if (due > TimeSpan.Zero)
                    await Task.Delay(due, TimeProvider.System, cancellationToken);
                if (await PublishAsync(Accepted, cancellationToken))
                    Accepted++;
            }
        }
        catch (OperationCanceledException)
        {
            // The run ended.
        }
    }

    // A refused event keeps its number for the next one, so that readers see no gap.
    private async Task<bool> PublishAsync(long number, CancellationToken cancellationToken)
    {
        var at = Stopwatch.GetTimestamp();
        try
        {
            using var body = new StringContent(
                Payload.Body(options.Run, topic, index, number, options.Size),
                Encoding.UTF8,
                "application/json"
            );
            // Repeats a request without an answer. The key prevents a second event.
            body.Headers.Add("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"load-{options.Run}-{index}-{number}"));
            using var response = await http.PostAsync("dunlin/v1/events", body, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                tally.CountAnswer((long)Stopwatch.GetElapsedTime(at).TotalMicroseconds);
                return true;
            }
            var problem = await response.Content.ReadAsStringAsync(cancellationToken);
            tally.CountRefusal($"{response.StatusCode}: {problem}");
        }
        catch (Exception error) when (error is HttpRequestException or SocketException)
        {
            tally.CountRefusal(error.Message);
        }
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        return false;
    }
}
