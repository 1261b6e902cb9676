using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Dunlin.Fuzz.Tests;

/// <summary>Byte sequences that no HTTP library sends.</summary>
public sealed class RawTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static TheoryData<string> Requests { get; } =
    [
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        "GET /dunlin/v1/events?topic=\u0000 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /dunlin/v1/events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: \u0000\r\n\r\n",
        "GET /dunlin/v1/events HTTP/1.0\r\n\r\n",
        "GET http://evil.example/dunlin/v1/stats HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /dunlin/v1/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /api/v1/files/%ed%a0%bd HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: " + "\t\r\n x\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000",
    ];

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_malformed_request_is_answered_or_aborted_without_an_error(string request)
    {
        await using var target = await FuzzTarget.StartHostAsync();
        target.TakeFaults();
        using var client = new TcpClient();
        await client.ConnectAsync(target.Address.Host, target.Address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        client.Client.Shutdown(SocketShutdown.Send);
        using var limit = new CancellationTokenSource(Limit);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var answer = "";
        try
        {
            answer = await reader.ReadToEndAsync(limit.Token);
        }
        catch (IOException)
        {
            // The server reset the connection without an answer.
        }
        var status = Regex.Match(answer, @"^HTTP/1\.1 (?<status>\d{3})", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        Assert.True(!status.Success || status.Groups["status"].Value[0] != '5', answer);
        Assert.DoesNotContain("   at ", answer, StringComparison.Ordinal);
        Assert.Empty(target.TakeFaults());
    }
}
