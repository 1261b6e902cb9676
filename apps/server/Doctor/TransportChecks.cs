using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;

namespace Dunlin.Server.Doctor;

/// <summary>Checks the transports that clients use where a proxy holds back streams: WebSockets and long polls.</summary>
internal static class TransportChecks
{
    private const string FirstFrame = "event: dunlin.hello";

    private const string PassUpgrade =
        "Pass Upgrade on (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $dunlin_connection; "
        + "deploy/nginx.conf has the map). Until then clients use long polls where a stream is held back.";

    public static async Task RunAsync(Examination examination, string topic, Action<Finding> report, CancellationToken cancellationToken)
    {
        var path = $"dunlin/v1/events?topic={Uri.EscapeDataString(topic)}";
        report(await WebSocketAsync(examination, path, cancellationToken));
        report(await LongPollAsync(examination, path, cancellationToken));
    }

    private static async Task<Finding> WebSocketAsync(Examination examination, string path, CancellationToken cancellationToken)
    {
        const string check = "websocket";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(examination.Patience);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("dunlin.v1");
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Authorization", $"Bearer {examination.Token}");
        var address = new Uri(examination.Server, path);
        var scheme = address.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs;
        var began = Stopwatch.GetTimestamp();
        try
        {
            await socket.ConnectAsync(new UriBuilder(address) { Scheme = scheme }.Uri, limit.Token);
            var buffer = new byte[4_096];
            var text = new StringBuilder();
            while (!text.ToString().Contains(FirstFrame, StringComparison.Ordinal))
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
                if (received.MessageType == WebSocketMessageType.Close)
                    return Finding.Warn(
                        check,
                        $"The WebSocket closed with {(int?)socket.CloseStatus} before its first frame.",
                        "Read the log of the server and of the proxy."
                    );
                text.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
            }
            var elapsed = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            return Finding.Ok(check, Text($"A WebSocket opened, and its first frame arrived after {elapsed:0} ms."));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.Warn(
                check,
                Text($"A WebSocket did not open within {examination.Patience.TotalSeconds:0} s, or its first frame did not arrive."),
                PassUpgrade
            );
        }
        catch (WebSocketException exception)
        {
            return socket.HttpStatusCode switch
            {
                HttpStatusCode.UpgradeRequired => Finding.Warn(check, "A proxy removes 'Upgrade' from requests.", PassUpgrade),
                default(HttpStatusCode) => Finding.Warn(check, $"A WebSocket broke: {ServerChecks.Innermost(exception)}", PassUpgrade),
                var status => Finding.Warn(check, $"A request for a WebSocket got {(int)status} instead of 101.", PassUpgrade),
            };
        }
    }

    private static async Task<Finding> LongPollAsync(Examination examination, string path, CancellationToken cancellationToken)
    {
        const string check = "long poll";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(examination.Patience);
        // A poll without a position answers at once. Two of them show that the connection serves further requests.
        var began = Stopwatch.GetTimestamp();
        try
        {
            for (var i = 0; i < 2; i++)
            {
                using var request = examination.Request(HttpMethod.Get, path + "&wait=25", withToken: true);
                using var answer = await examination.SendAsync(request, cancellationToken);
                var text = await answer.Content.ReadAsStringAsync(limit.Token);
                if (!answer.IsSuccessStatusCode || !text.Contains(FirstFrame, StringComparison.Ordinal))
                    return Finding.Warn(
                        check,
                        $"A long poll got {(int)answer.StatusCode} without its first frame.",
                        "Look for a proxy or a cache that answers itself or removes the query, and read the log of the server."
                    );
            }
            var elapsed = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            return Finding.Ok(check, Text($"Two long polls were answered in {elapsed:0} ms."));
        }
        catch (Exception exception)
            when (exception is TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return Finding.Warn(
                check,
                Text($"A long poll was not answered within {examination.Patience.TotalSeconds:0} s."),
                "Let the proxy pass complete responses on, and keep its time limit of a request above 30 s (nginx: proxy_read_timeout 24h)."
            );
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException)
        {
            return Finding.Warn(
                check,
                $"A long poll broke: {ServerChecks.Innermost(exception)}",
                "Look for a proxy that cuts responses, and read its log."
            );
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
