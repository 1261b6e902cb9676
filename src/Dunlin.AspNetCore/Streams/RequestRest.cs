using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Streams;

/// <summary>Requires a complete request before a stream starts.</summary>
/// <remarks>A server reads the rest of a body after the response. For a stream that is hours later, or never if the stream takes over the
/// socket.</remarks>
internal static class RequestRest
{
    /// <summary>Throws unless the body is absent or has been read to its end.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the request has an unread body. The error names the header
    /// that announces it.</exception>
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
            // Only the end of a chunked body shows whether it is empty. The server's minimum data rate of request bodies limits the wait.
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
