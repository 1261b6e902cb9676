using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Dunlin.Apps.Documents.Files;

/// <summary>Bounds the memory of request bodies: a large one takes a place before it is read, and gives it back when the request has
/// been handled. Safe for concurrent use.</summary>
internal sealed class LargeBodies
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    // 16 KiB/s: a body that trickles in would keep its place for hours.
    private static readonly MinDataRate LeastRate = new(bytesPerSecond: 16 * 1024, gracePeriod: TimeSpan.FromSeconds(15));

    private readonly Lock _gate = new(); // guards the rest
    private readonly Dictionary<string, int> _byUser = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Bytes of the bodies that have a place now.</summary>
    public long BytesInFlight
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    /// <summary>Takes a place for the body of a request. Call it once the rights have been checked.</summary>
    /// <param name="request">The request, of which nothing has been read.</param>
    /// <param name="userId">Who sends it.</param>
    /// <param name="maxBytes">The most that will be read; reserved where the request does not say its length and is not small.</param>
    /// <returns>Gives the place back when disposed; null where the body is small, or so large that it will not be read.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/> with the limit.</exception>
    public async ValueTask<IDisposable?> TakeAsync(HttpRequest request, string userId, int maxBytes)
    {
        var bytes = request.ContentLength ?? (await IsSmallAsync(request, maxBytes) ? 0 : maxBytes);
        if (bytes <= DocumentLimits.SmallBody || bytes > maxBytes)
            return null;
        lock (_gate)
        {
            var own = _byUser.GetValueOrDefault(userId);
            if (own >= DocumentLimits.BodiesPerUser)
                throw Full(DocumentLimits.BodiesPerUser, "large requests of one user at one time");
            if (_bytes + bytes > DocumentLimits.BodiesInFlight)
                throw Full(DocumentLimits.BodiesInFlight, "bytes of large requests at one time");
            _byUser[userId] = own + 1;
            _bytes += bytes;
        }
        if (HttpProtocol.IsHttp11(request.Protocol) && request.HttpContext.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = LeastRate;
        return new Reservation(this, userId, bytes);
    }

    // Looks at the body without taking anything from it.
    private static async ValueTask<bool> IsSmallAsync(HttpRequest request, int maxBytes)
    {
        // The server's own limit is fixed once reading has begun.
        if (
            request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit
            && limit.MaxRequestBodySize < maxBytes
        )
            limit.MaxRequestBodySize = maxBytes;
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(request.HttpContext.RequestAborted);
            if (read.IsCompleted || read.Buffer.Length > DocumentLimits.SmallBody)
            {
                request.BodyReader.AdvanceTo(read.Buffer.Start);
                return read.Buffer.Length <= DocumentLimits.SmallBody;
            }
            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private void GiveBack(string userId, long bytes)
    {
        lock (_gate)
        {
            _bytes -= bytes;
            if (--_byUser[userId] == 0)
                _byUser.Remove(userId);
        }
    }

    private static DunlinException Full(int limit, string what) =>
        new(ErrorCode.TooManyRequests, $"The limit is {limit} {what}.")
        {
            RetryAfter = RetryAfter,
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };

    private sealed class Reservation(LargeBodies bodies, string userId, long bytes) : IDisposable
    {
        private int _isGivenBack;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isGivenBack, 1) == 0)
                bodies.GiveBack(userId, bytes);
        }
    }
}
