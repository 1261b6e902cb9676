using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Dunlin.Apps.Documents.Files;

/// <summary>
/// Limits the memory of request bodies. A large body reserves its size before it is read, until the request was handled. Thread-safe.
/// </summary>
internal sealed class LargeBodies
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    // 16 KiB/s: a slow body would hold its reservation for hours.
    private static readonly MinDataRate LeastRate = new(bytesPerSecond: 16 * 1024, gracePeriod: TimeSpan.FromSeconds(15));

    private readonly Lock _gate = new(); // guards all fields below
    private readonly Dictionary<string, int> _byUser = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Bytes of all bodies with a reservation.</summary>
    public long BytesInFlight
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    /// <summary>Reserves memory for the body of a request. Call it after checking permissions.</summary>
    /// <param name="request">The request, with an unread body.</param>
    /// <param name="userId">The sender.</param>
    /// <param name="maxBytes">The maximum to read; reserved if the request declares no length and is not small.</param>
    /// <returns>Releases the reservation when disposed; null if the body is small, or too large to be read.</returns>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooManyRequests"/>: the limit is reached.</exception>
    public async ValueTask<IDisposable?> TakeAsync(HttpRequest request, string userId, int maxBytes)
    {
        var bytes = request.ContentLength ?? (await IsSmallAsync(request, maxBytes) ? 0 : maxBytes);
        if (bytes <= DocumentLimits.SmallBody || bytes > maxBytes)
            return null;
        lock (_gate)
        {
            var own = _byUser.GetValueOrDefault(userId);
            if (own >= DocumentLimits.BodiesPerUser)
                throw Full(DocumentLimits.BodiesPerUser, "large requests of one user at the same time");
            if (_bytes + bytes > DocumentLimits.BodiesInFlight)
                throw Full(DocumentLimits.BodiesInFlight, "bytes of large requests at the same time");
            _byUser[userId] = own + 1;
            _bytes += bytes;
        }
        if (HttpProtocol.IsHttp11(request.Protocol) && request.HttpContext.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = LeastRate;
        return new Reservation(this, userId, bytes);
    }

    // Looks at the body without consuming it.
    private static async ValueTask<bool> IsSmallAsync(HttpRequest request, int maxBytes)
    {
        // The server's limit is read-only after reading has begun.
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
