using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace Dunlin.Apps.Load;

/// <summary>One event stream: counts, times and checks events, and resumes after an interruption.</summary>
/// <param name="http">The client of the server.</param>
/// <param name="run">The run whose events are counted.</param>
/// <param name="topic">The topic to read.</param>
/// <param name="tally">Receives the counts.</param>
/// <param name="readOn">For a stalled reader: it stops reading after the first bytes until this completes, and is not timed.</param>
public sealed class Reader(HttpClient http, long run, string topic, Tally tally, Task? readOn = null)
{
    private readonly ConcurrentDictionary<int, long> _seen = new(); // last number of each publisher
    private readonly byte[] _buffer = new byte[4_096];
    private byte[] _line = [];
    private string? _lastEventId;
    private bool _wasOpen;

    /// <summary>Returns the last number of a publisher; -1 for none. May be outdated while the reader runs.</summary>
    public long LastOf(int publisher) => _seen.GetValueOrDefault(publisher, -1);

    /// <summary>Reads until it is cancelled. Calls <paramref name="opened"/> at the first bytes of every attempt.</summary>
    public async Task RunAsync(Action opened, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(opened, cancellationToken);
                tally.CountReconnect("a stream was ended by the server");
            }
            // Of any kind: an answer may arrive at the moment of the cancellation.
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is HttpRequestException or SocketException or IOException)
            {
                tally.CountReconnect(error.Message);
            }
            // Also after an end without an error, so that a server that refuses streams is not flooded. Cancellation ends the loop.
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(200, 1_000)), TimeProvider.System, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(Action opened, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "dunlin/v1/events?topic=" + Uri.EscapeDataString(topic));
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (_lastEventId is not null)
            request.Headers.Add("Last-Event-ID", _lastEventId);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            var problem = $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}";
            // Repeating does not help: the token or the topic is wrong, or the server allows fewer streams. A stream that was open comes
            // back when the server has noticed its end.
            var isOverLimit = !_wasOpen && problem.Contains("too_many_connections", StringComparison.Ordinal);
            if ((int)response.StatusCode is >= 400 and < 500 and not 429 || isOverLimit)
                tally.Refusal = problem;
            throw new HttpRequestException(problem);
        }
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        tally.CountOpen(1);
        _wasOpen = true;
        try
        {
            var length = await stream.ReadAsync(_buffer, cancellationToken);
            opened();
            if (readOn is not null)
                await readOn.WaitAsync(cancellationToken);
            for (; length > 0; length = await stream.ReadAsync(_buffer, cancellationToken))
                Take(_buffer.AsSpan(0, length), Stopwatch.GetTimestamp());
        }
        finally
        {
            tally.CountOpen(-1);
        }
    }

    private void Take(ReadOnlySpan<byte> bytes, long now)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            if (_line.Length == 0)
            {
                Line(bytes[..end], now);
            }
            else
            {
                Line([.. _line, .. bytes[..end]], now);
                _line = [];
            }
            bytes = bytes[(end + 1)..];
        }
        if (!bytes.IsEmpty)
            _line = [.. _line, .. bytes];
    }

    private void Line(ReadOnlySpan<byte> line, long now)
    {
        if (line.StartsWith("id: "u8))
            _lastEventId = System.Text.Encoding.ASCII.GetString(line[4..]);
        else if (line.StartsWith("data: "u8) && Payload.TryRead(line, run, out var publisher, out var number, out var sentAt))
            Check(publisher, number, (long)Stopwatch.GetElapsedTime(sentAt, now).TotalMicroseconds);
    }

    private void Check(int publisher, long number, long microseconds)
    {
        if (_seen.TryGetValue(publisher, out var last))
        {
            if (number <= last)
            {
                tally.CountRepeated();
                return;
            }
            tally.CountMissed(number - last - 1);
        }
        _seen[publisher] = number;
        if (readOn is null)
            tally.CountDelivery(microseconds);
    }
}
