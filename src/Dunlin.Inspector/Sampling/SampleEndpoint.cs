using System.Text.Json;
using Dunlin.Access;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Inspector.Sampling;

/// <summary>Serves <c>GET api/stream</c>: the history once, then each sample.</summary>
/// <remarks>The stream ends after <see cref="MaxAge"/>, when the credential expires or is revoked, and when the host stops. The page opens
/// it again, and so proves its credential again.</remarks>
internal sealed class SampleEndpoint(Sampler sampler, TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <summary>The longest time for which a stream outlives a session that has ended.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    public async Task ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var revocations = context.RequestServices.GetService<Revocations>();
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        // An answer without a body ends with its headers. A stream behind it would block the connection for the next request.
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        using var viewer = sampler.Join();
        var end = time.GetUtcNow() + MaxAge;
        if (caller.ExpiresAt < end)
            end = caller.ExpiresAt.Value;
        try
        {
            var history = JsonSerializer.SerializeToUtf8Bytes(viewer.History, InspectorJson.Default.IReadOnlyListClusterSample);
            await response.Body.WriteAsync(SampleFrames.Of("history", history), stop.Token);
            await response.Body.FlushAsync(stop.Token);
            await foreach (var frame in viewer.Frames.ReadAllAsync(stop.Token))
            {
                if (time.GetUtcNow() >= end || revocations?.IsRevoked(caller) == true)
                    return;
                await response.Body.WriteAsync(frame, stop.Token);
                await response.Body.FlushAsync(stop.Token);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The viewer has left, or the host stops.
        }
    }
}
