using System.Text;
using Dunlin.Fuzz.Http;

namespace Dunlin.Fuzz.Tests;

/// <summary>The strict reading of requests that responses are compared with.</summary>
public sealed class RequestReferenceTests
{
    private const string Get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

    [Fact]
    public void Pipelined_requests_are_read_in_order()
    {
        var reference = Read(
            Get
                + "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                + "POST /c HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n"
        );
        Assert.Equal(["GET /a", "POST /b", "POST /c"], reference.Complete);
        Assert.Null(reference.Doubtful);
    }

    [Theory]
    [InlineData("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("Content-Length: 3\r\nContent-Length: 3\r\n")]
    [InlineData("Content-Length: +3\r\n")]
    [InlineData("Content-Length: 300\r\n")]
    [InlineData("Transfer-Encoding: identity, chunked\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n")]
    [InlineData(" folded\r\n")]
    [InlineData("Host: y\r\n")]
    public void A_doubtful_request_ends_the_reading(string fields)
    {
        var reference = Read($"{Get}POST /b HTTP/1.1\r\nHost: x\r\n{fields}\r\nabc{Get}");
        Assert.Equal(["GET /a"], reference.Complete);
        Assert.Equal("POST /b", reference.Doubtful);
    }

    [Fact]
    public void Responses_are_split_by_length_and_by_chunks()
    {
        var answers = RawAnswer.ReadAll(
            Encoding.Latin1.GetBytes(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
                    + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nx"
            )
        );
        Assert.Equal(
            [(200, "ab", true), (200, "cd", true), (400, "x", false)],
            answers.Select(static a => (a.Status, a.Text, a.IsComplete))
        );
    }

    private static RequestReference Read(string text) => RequestReference.Read(Encoding.Latin1.GetBytes(text));
}
