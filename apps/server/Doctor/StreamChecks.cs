using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Dunlin.Server.Doctor;

/// <summary>Opens streams and checks what proxies often break: buffering, compression, idle lines.</summary>
internal static partial class StreamChecks
{
    private const int DefaultHeartbeat = 15;
    private const string BrowserEncodings = "gzip, br, zstd, deflate";

    public static async Task RunAsync(Examination examination, string topic, Action<Finding> report, CancellationToken cancellationToken)
    {
        var path = $"dunlin/v1/events?topic={Uri.EscapeDataString(topic)}";
        await CompressionAsync(examination, path, report, cancellationToken);
        var buffering = await BufferingAsync(examination, path, cancellationToken);
        report(buffering);
        if (buffering.Level != FindingLevel.Ok)
            return;
        using var request = Request(examination, HttpMethod.Get, path, "identity");
        using var answer = await examination.SendAsync(request, cancellationToken);
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        report(await HeartbeatAsync(body, examination.Patience, cancellationToken));
    }

    /// <summary>Opens a combined response and asks the server to write a comment into it: a proxy that passes the first bytes of a response
    /// with its headers may still hold back the next ones.</summary>
    private static async Task<Finding> BufferingAsync(Examination examination, string path, CancellationToken cancellationToken)
    {
        // With the header of browsers: a proxy that compresses buffers only the responses to them.
        using var request = Request(examination, HttpMethod.Post, "dunlin/v1/streams", BrowserEncodings);
        request.Content = Json($$"""{"streams":[{"id":"doctor","path":"/{{path}}"}]}""");
        try
        {
            using var answer = await examination.SendAsync(request, cancellationToken);
            if (!answer.IsSuccessStatusCode || answer.Content.Headers.ContentType?.MediaType != "text/event-stream")
            {
                return Finding.Fail(
                    "buffering",
                    $"A stream got {(int)answer.StatusCode} {answer.Content.Headers.ContentType?.MediaType} instead of text/event-stream.",
                    "Look for a proxy or a cache that answers itself, and read the log of the server."
                );
            }
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var first = new StringBuilder();
            // The stream is open after its first frame, which has the heartbeat. A compressed frame cannot be recognised.
            var isEncoded = answer.Content.Headers.ContentEncoding.Count > 0;
            while (isEncoded ? first.Length == 0 : !Seconds().IsMatch(first.ToString()))
            {
                if (await ReadAsync(body, examination.Patience, cancellationToken) is not { Length: > 0 } more)
                    return Buffered("The headers of a stream arrived, but its first frame did not");
                first.Append(more);
            }
            var id = answer.Headers.GetValues("Dunlin-Connection").First();
            using var change = Request(examination, HttpMethod.Post, $"dunlin/v1/streams/{Uri.EscapeDataString(id)}", "identity");
            change.Content = Json("""{"close":[]}""");
            var began = Stopwatch.GetTimestamp();
            using var changed = await examination.SendAsync(change, cancellationToken);
            return changed.IsSuccessStatusCode && await ReadAsync(body, examination.Patience, cancellationToken) is not { Length: > 0 }
                ? Buffered(
                    Text($"A line that the server wrote into an open stream did not arrive within {examination.Patience.TotalSeconds:0} s")
                )
                : Finding.Ok(
                    "buffering",
                    Text($"A line passed through an open stream in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms.")
                );
        }
        catch (TimeoutException)
        {
            return Buffered("A stream was requested, but not even its headers arrived");
        }
    }

    private static async Task CompressionAsync(
        Examination examination,
        string path,
        Action<Finding> report,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(examination, HttpMethod.Get, path, BrowserEncodings);
        try
        {
            using var answer = await examination.SendAsync(request, cancellationToken);
            var encodings = string.Join(", ", answer.Content.Headers.ContentEncoding);
            if (answer.IsSuccessStatusCode)
                report(
                    encodings.Length == 0
                        ? Finding.Ok("compression", "Streams are not compressed.")
                        : Finding.Fail(
                            "compression",
                            $"A proxy compresses streams ({encodings}): events wait until a block is full.",
                            "Leave text/event-stream out of compression (nginx: gzip_types)."
                        )
                );
        }
        catch (TimeoutException)
        {
            // The check of buffering, which comes next, reports this.
        }
    }

    /// <summary>Waits for the first heartbeat: a stream that survives it survives any idle time.</summary>
    private static async Task<Finding> HeartbeatAsync(Stream body, TimeSpan patience, CancellationToken cancellationToken)
    {
        const string check = "heartbeat";
        var text = new StringBuilder();
        // The first frame may arrive in several pieces.
        while (!Seconds().IsMatch(text.ToString()))
        {
            if (await ReadAsync(body, patience, cancellationToken) is not { Length: > 0 } more)
                break;
            text.Append(more);
        }
        var match = Seconds().Match(text.ToString());
        var seconds = match.Success ? double.Parse(match.Groups["seconds"].Value, CultureInfo.InvariantCulture) : DefaultHeartbeat;
        var began = Stopwatch.GetTimestamp();
        var next = await ReadAsync(body, TimeSpan.FromSeconds(seconds) + patience, cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        if (next is null)
        {
            return Finding.Fail(
                check,
                Text($"No heartbeat arrived within {elapsed:0} s; the server sends one every {seconds:0} s."),
                "Disable buffering of streams in the proxy (nginx: proxy_buffering off)."
            );
        }
        if (next.Contains("control: goodbye", StringComparison.Ordinal))
            return Finding.Warn(
                check,
                "The server closed the stream with a goodbye.",
                "It may be stopping, or the token expired. Try again."
            );
        return next.Length == 0
            ? Finding.Fail(
                check,
                Text($"The stream was cut after {elapsed:0.0} s without data, before the heartbeat at {seconds:0} s."),
                "Raise the idle limit of the proxy (nginx: proxy_read_timeout 24h), or lower Dunlin__Streams__Heartbeat."
            )
            : Finding.Ok(check, Text($"A heartbeat passed after {elapsed:0} s, so idle streams stay open."));
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static HttpRequestMessage Request(Examination examination, HttpMethod method, string path, string encodings)
    {
        var request = examination.Request(method, path, withToken: true);
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", encodings);
        return request;
    }

    /// <summary>Returns the next bytes as text, "" at the end or after a broken connection, or null if nothing arrived in time.</summary>
    private static async Task<string?> ReadAsync(Stream body, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limit);
        var buffer = new byte[4_096];
        try
        {
            var length = await body.ReadAsync(buffer, patience.Token);
            return Encoding.UTF8.GetString(buffer, 0, length);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or SocketException or HttpRequestException)
        {
            return "";
        }
    }

    private static Finding Buffered(string symptom) =>
        Finding.Fail(
            "buffering",
            $"{symptom}: a proxy buffers the response.",
            "Disable buffering and caching of streams (nginx: proxy_buffering off; proxy_cache off), and honour X-Accel-Buffering."
        );

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("\"heartbeatSeconds\":(?<seconds>[0-9.]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Seconds();
}
