using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Streams;

/// <summary>
/// A stream begins after its request has ended. A server reads what is left of a body after the response, which for a stream is hours
/// later or, where the stream takes the socket over, never.
/// </summary>
internal static class RequestRest
{
    /// <summary>Requires that nothing of the body is left: there is none, or it has been read to its end.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>, naming the header that announces the body.</exception>
    public static async ValueTask RequireNoneAsync(HttpContext context)
    {
        var request = context.Request;
        var announced = request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0;
        if (!(context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? announced) || await IsReadAsync(request))
            return;
        var header =
            request.ContentLength is not null ? "Content-Length"
            : announced ? "Transfer-Encoding"
            : null;
        var what = request.ContentLength is { } bytes ? $"a body of {bytes} bytes" : "a body";
        throw new DunlinException(
            ErrorCode.InvalidField,
            $"A stream request must not have a body; this request has {what}. Send it without a body.",
            header
        );
    }

    private static async ValueTask<bool> IsReadAsync(HttpRequest request)
    {
        var reader = request.BodyReader;
        System.IO.Pipelines.ReadResult read;
        if (request.ContentLength is null)
        {
            // Only its end tells whether it is empty. The server's least rate of request bodies bounds the wait.
            read = await reader.ReadAsync(request.HttpContext.RequestAborted);
        }
        else if (!reader.TryRead(out read))
        {
            return false;
        }
        var isRead = read is { IsCompleted: true, Buffer.IsEmpty: true };
        reader.AdvanceTo(read.Buffer.Start);
        return isRead;
    }
}
