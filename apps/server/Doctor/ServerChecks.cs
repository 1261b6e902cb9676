using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json;

namespace Dunlin.Server.Doctor;

/// <summary>Checks the address itself: reachability, identity, readiness, TLS, HTTP version, clock, reuse of connections.</summary>
internal static class ServerChecks
{
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30); // AccessTokenOptions.ClockSkew
    private static readonly TimeSpan ClockNotice = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ExpiryNotice = TimeSpan.FromDays(14);

    /// <returns>Whether the server was reachable.</returns>
    public static async Task<bool> RunAsync(Examination examination, Action<Finding> report, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        HttpResponseMessage answer;
        try
        {
            answer = await examination.GetAsync("healthz/live", withToken: false, cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or TimeoutException)
        {
            report(
                Finding.Fail(
                    "reachable",
                    $"No answer from {examination.Server}: {Innermost(exception)}",
                    "Check the address, that the server runs, and the firewall between."
                )
            );
            return false;
        }
        using (answer)
        {
            var time = Stopwatch.GetElapsedTime(began);
            report(
                Finding.Ok("reachable", Text($"{examination.Server} answered in {time.TotalMilliseconds:0} ms over HTTP/{answer.Version}."))
            );
            if (await IdentityAsync(examination, report, cancellationToken))
                await ReadinessAsync(examination, report, cancellationToken);
            Tls(examination, report);
            HttpVersionOf(examination, answer, report);
            Clock(answer, report);
        }
        await KeepAliveAsync(examination, report, cancellationToken);
        return true;
    }

    private static async Task<bool> IdentityAsync(Examination examination, Action<Finding> report, CancellationToken cancellationToken)
    {
        // Without a topic and a token: every Dunlin server refuses this with its problem document.
        using var answer = await examination.GetAsync("dunlin/v1/stats", withToken: false, cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        var own = typeof(ServerChecks).Assembly.GetName().Version?.ToString(3);
        if (HasCode(text))
        {
            report(Finding.Ok("version", $"The server speaks /dunlin/v1, as this program ({own}) does."));
            return true;
        }
        report(
            Finding.Fail(
                "version",
                Text($"{examination.Server}dunlin/v1/stats answered {(int)answer.StatusCode} without a problem document of Dunlin."),
                "Name the address of the server, with the path prefix if a proxy adds one."
            )
        );
        return false;
    }

    private static async Task ReadinessAsync(Examination examination, Action<Finding> report, CancellationToken cancellationToken)
    {
        using var answer = await examination.GetAsync("healthz/ready", withToken: false, cancellationToken);
        var text = (await answer.Content.ReadAsStringAsync(cancellationToken)).ReplaceLineEndings(" ").Trim();
        report(
            answer.IsSuccessStatusCode ? Finding.Ok("ready", "The server accepts requests.")
            : answer.StatusCode == HttpStatusCode.NotFound
                ? Finding.Warn("ready", "There is no /healthz/ready.", "Map it with MapDunlinHealth(), or let the proxy pass it.")
            : Finding.Fail("ready", $"The server is not ready: {Short(text)}", "Read the log of the server.")
        );
    }

    private static void Tls(Examination examination, Action<Finding> report)
    {
        if (examination.Certificate is not { } certificate)
        {
            report(
                Commands.Remote.RemoteServer.IsLocal(examination.Server)
                    ? Finding.Ok("tls", "The connection does not leave this machine and needs no TLS.")
                    : Finding.Warn("tls", "The connection is not encrypted.", "Put a proxy with TLS in front: docs/operations/nginx.md.")
            );
            return;
        }
        var left = certificate.NotAfter.ToUniversalTime() - TimeProvider.System.GetUtcNow().UtcDateTime;
        if (examination.CertificateFaults != SslPolicyErrors.None)
        {
            report(
                Finding.Fail(
                    "tls",
                    $"The certificate '{certificate.Subject}' is not trusted: {examination.CertificateFaults}.",
                    "Install a certificate for this host name, with its intermediate certificates."
                )
            );
            return;
        }
        report(
            left < ExpiryNotice
                ? Finding.Warn("tls", Text($"The certificate expires in {left.TotalDays:0.0} days."), "Renew the certificate.")
                : Finding.Ok("tls", Text($"The certificate is trusted and valid for {left.TotalDays:0} days."))
        );
    }

    private static void HttpVersionOf(Examination examination, HttpResponseMessage answer, Action<Finding> report)
    {
        if (answer.Version.Major >= 2)
        {
            report(Finding.Ok("http", "HTTP/2: a browser opens any number of streams over one connection."));
            return;
        }
        const string consequence = "HTTP/1.1: a browser opens at most six connections to this origin";
        report(
            examination.Server.Scheme == Uri.UriSchemeHttps
                ? Finding.Warn(
                    "http",
                    $"{consequence}.",
                    "Enable HTTP/2 in the proxy, or share one stream between tabs (@dunlin/client does)."
                )
                : Finding.Ok("http", $"{consequence}. @dunlin/client shares one stream between tabs.")
        );
    }

    private static void Clock(HttpResponseMessage answer, Action<Finding> report)
    {
        if (answer.Headers.Date is not { } date)
        {
            report(Finding.Warn("clock", "The answer has no Date header, so clocks could not be compared.", "Compare them by hand."));
            return;
        }
        // The header has whole seconds.
        var difference = (TimeProvider.System.GetUtcNow() - date).Duration();
        var text = Text($"The clocks of the server and this machine differ by {difference.TotalSeconds:0} s.");
        report(
            difference <= ClockNotice ? Finding.Ok("clock", text)
            : difference <= ClockTolerance ? Finding.Warn("clock", text, "Synchronise both with NTP: tokens tolerate 30 s.")
            : Finding.Fail("clock", text, "Synchronise both with NTP: tokens that are new or about to expire are refused.")
        );
    }

    private static async Task KeepAliveAsync(Examination examination, Action<Finding> report, CancellationToken cancellationToken)
    {
        for (var i = 0; i < 2; i++)
        {
            var before = examination.Connections;
            using var answer = await examination.GetAsync("healthz/live", withToken: false, cancellationToken);
            await answer.Content.ReadAsByteArrayAsync(cancellationToken);
            if (examination.Connections == before)
            {
                report(Finding.Ok("keep-alive", "Requests share a connection."));
                return;
            }
        }
        report(
            Finding.Warn(
                "keep-alive",
                "Each request needs a new connection.",
                "Enable keep-alive in the proxy (nginx: keepalive_timeout), so that publishing pays no handshake."
            )
        );
    }

    public static bool HasCode(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("code", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public static string Innermost(Exception exception) =>
        exception.InnerException is { } cause and not OperationCanceledException ? Innermost(cause) : exception.Message;

    private static string Short(string text) => text.Length <= 200 ? text : text[..200] + "...";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
