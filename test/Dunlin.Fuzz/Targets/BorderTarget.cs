using System.Text;
using Dunlin.Fuzz.Engine;
using Dunlin.Fuzz.Http;

namespace Dunlin.Fuzz.Targets;

/// <summary>
/// The bytes of one connection of <c>dunlin</c>: several requests one after the other, in pieces, and closed in one direction at the end.
/// The responses must be those of a strict reading of the bytes, or the connection ends.
/// </summary>
internal sealed class BorderTarget()
    : FuzzTarget("http", "Dunlin.Transport.", "Dunlin.Sse.", "Dunlin.Streams.", "Dunlin.Problems.", "Dunlin.Hosting.HeadRequests")
{
    private const string TokenMark = "@TOKEN@";

    private FuzzHost _host = null!;
    private byte[] _before = [];
    private byte[] _token = [];

    public static BorderTarget Create() =>
        new()
        {
            Words =
            [
                "GET /dunlin/v1/stats HTTP/1.1\r\nHost: a\r\n\r\n",
                "POST /dunlin/v1/events HTTP/1.1\r\nHost: a\r\n",
                "GET /dunlin/v1/events?topic=a HTTP/1.1\r\nHost: a\r\n\r\n",
                "HEAD /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n",
                "Authorization: Bearer @TOKEN@\r\n",
                "Transfer-Encoding: chunked\r\n",
                "Transfer-Encoding: identity, chunked\r\n",
                "Transfer-Encoding : chunked\r\n",
                "Transfer-Encoding: xchunked\r\n",
                "Content-Length: 5\r\n",
                "Content-Length: +5\r\n",
                "Content-Length: 0\r\n",
                "Content-Length: 5, 5\r\n",
                "Connection: close\r\n",
                "Connection: keep-alive, Upgrade\r\n",
                "Upgrade: websocket\r\n",
                "Upgrade: h2c\r\n",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: dunlin.v1\r\n",
                "Expect: 100-continue\r\n",
                "\r\n",
                "\r\n\r\n",
                "\n",
                "\r",
                "0\r\n\r\n",
                "5;x=y\r\nhello\r\n",
                "0\r\nX: y\r\n\r\n",
                "FFFFFFFFFFFFFFFF\r\n",
                "HTTP/1.0",
                "HTTP/2.0",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "http://evil.example/",
                "*",
                " ",
                "\t",
                "\0",
                "%00",
                "\u0016\u0003\u0001",
            ],
            MaxLength = 8_192,
            Weight = 8,
        };

    public override async ValueTask StartAsync()
    {
        _host = await Hosts.ServerAsync();
        _token = Encoding.ASCII.GetBytes(Hosts.Token("alice"));
        _host.TakeFaults();
    }

    public override async ValueTask RunAsync(byte[] input)
    {
        var bytes = WithToken(input);
        var pieces = new Random(input.Length);
        var isWhole = input.Length % 3 != 0;
        var answers = await AnswerRules.ExchangeAsync(_host, input, bytes, () => isWhole ? int.MaxValue : pieces.Next(1, 200));
        CheckOrder(RequestReference.Read(bytes), answers);
        AnswerRules.CheckLog(_host, Interlocked.Exchange(ref _before, input));
    }

    private static void CheckOrder(RequestReference reference, List<RawAnswer> answers)
    {
        for (var i = 0; i < answers.Count; i++)
        {
            var isLast = i == answers.Count - 1;
            FindingException.Require(
                answers[i].IsComplete || isLast,
                "a response follows an incomplete one",
                $"{i}: {answers[i].Status} {answers[i].Request}"
            );
            if (i < reference.Complete.Count)
            {
                // The web server refuses some correct requests, such as one with an unknown host, and closes the connection then.
                FindingException.Require(
                    answers[i].Request == reference.Complete[i]
                        || (answers[i].Request is null && isLast && answers[i].Status is >= 400 and < 500),
                    "the server read another request",
                    $"{i}: {answers[i].Request} instead of {reference.Complete[i]}"
                );
                continue;
            }
            // After the first incorrect request only the server knows where the next one begins.
            FindingException.Require(
                reference.Doubtful is not null,
                "more responses than requests",
                $"{i}: {answers[i].Status} {answers[i].Request}; {reference.Complete.Count} requests"
            );
        }
    }

    private byte[] WithToken(byte[] input)
    {
        var text = Encoding.Latin1.GetString(input);
        return text.Contains(TokenMark, StringComparison.Ordinal)
            ? Encoding.Latin1.GetBytes(text.Replace(TokenMark, Encoding.ASCII.GetString(_token), StringComparison.Ordinal))
            : input;
    }
}
