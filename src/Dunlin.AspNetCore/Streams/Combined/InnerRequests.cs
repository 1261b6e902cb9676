using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Streams.Combined;

/// <summary>Runs the request of an inner stream through the whole pipeline of the application, with the headers of the outer request.
/// Authentication, authorization and all other middleware treat it like a separate request. Thread-safe.</summary>
internal sealed class InnerRequests : IStartupFilter
{
    // Headers that apply to the outer request only: those of its body, connection and resume position, and those of proxies, which the
    // pipeline has already processed.
    private static readonly HashSet<string> NotCopied = new(StringComparer.OrdinalIgnoreCase)
    {
        HeaderNames.Accept,
        HeaderNames.AcceptEncoding,
        HeaderNames.Connection,
        HeaderNames.ContentEncoding,
        HeaderNames.ContentLength,
        HeaderNames.ContentType,
        HeaderNames.Expect,
        HeaderNames.IfMatch,
        HeaderNames.IfNoneMatch,
        HeaderNames.IfModifiedSince,
        HeaderNames.IfUnmodifiedSince,
        HeaderNames.KeepAlive,
        HeaderNames.Range,
        HeaderNames.TE,
        HeaderNames.Trailer,
        HeaderNames.TransferEncoding,
        HeaderNames.Upgrade,
        "Dunlin-Connection",
        "Forwarded",
        "Last-Event-ID",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Forwarded-Proto",
        "X-Real-IP",
    };

    private RequestDelegate? _application;

    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(following => _application = following);
            next(app);
        };

    /// <summary>Copies the data of the outer request that an inner request needs. The outer request may end first.</summary>
    public static FeatureCollection Prepare(HttpContext outer, InnerSink stream, StreamWish wish)
    {
        var query = wish.Path.IndexOf('?', StringComparison.Ordinal);
        var request = new HttpRequestFeature
        {
            Method = HttpMethods.Get,
            Protocol = outer.Request.Protocol,
            Scheme = outer.Request.Scheme,
            Path = outer.Request.PathBase + PathString.FromUriComponent(query < 0 ? wish.Path : wish.Path[..query]),
            QueryString = query < 0 ? "" : wish.Path[query..],
            RawTarget = wish.Path,
        };
        foreach (var (name, value) in outer.Request.Headers)
        {
            if (!NotCopied.Contains(name))
                request.Headers[name] = value;
        }
        request.Headers.Accept = "text/event-stream";
        if (wish.LastEventId is not null)
            request.Headers["Last-Event-ID"] = wish.LastEventId;

        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(request);
        features.Set<IHttpRequestBodyDetectionFeature>(NoBody.Instance);
        var response = new InnerResponse();
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(response.Buffer));
        features.Set(response);
        features.Set<IHttpConnectionFeature>(
            new HttpConnectionFeature
            {
                ConnectionId = outer.Connection.Id,
                LocalIpAddress = outer.Connection.LocalIpAddress,
                LocalPort = outer.Connection.LocalPort,
                RemoteIpAddress = outer.Connection.RemoteIpAddress,
                RemotePort = outer.Connection.RemotePort,
            }
        );
        if (outer.Connection.ClientCertificate is { } certificate)
            features.Set<ITlsConnectionFeature>(new TlsConnectionFeature { ClientCertificate = certificate });
        features.Set<IHttpRequestLifetimeFeature>(new InnerLifetime(stream));
        features.Set<IHttpRequestIdentifierFeature>(
            new HttpRequestIdentifierFeature { TraceIdentifier = $"{outer.TraceIdentifier}:{stream.Id}" }
        );
        features.Set<IEndpointFeature>(new StreamEndpointsOnly());
        features.Set(stream);
        return features;
    }

    /// <summary>Runs the request.</summary>
    /// <returns>The block that announces the refusal or the end, or null if the stream has started.</returns>
    public async Task<ReadOnlyMemory<byte>?> RunAsync(IServiceProvider services, FeatureCollection features, InnerSink stream)
    {
        var application =
            _application
            ?? throw new InvalidOperationException("Combined streams need a host that runs startup filters. Use WebApplication.");
        await using var scope = services.CreateAsyncScope();
        features.Set<IServiceProvidersFeature>(new ServiceProvidersFeature { RequestServices = scope.ServiceProvider });
        var factory = services.GetRequiredService<IHttpContextFactory>();
        var context = factory.Create(features);
        try
        {
            try
            {
                await application(context);
            }
#pragma warning disable CA1031 // any exception becomes the refusal of this stream
            catch (Exception error) when (stream.Connection is null)
#pragma warning restore CA1031
            {
                context.Response.Clear();
                await Problem.WriteAsync(context, error);
            }
            // The pipeline ends quietly after an abort, without a status of its own.
            if (stream.Connection is null && stream.IsClosing)
                return CombinedBlocks.Ended(stream.Id);
            return stream.Connection is null
                ? await RefusalAsync(context, features.GetRequiredFeature<InnerResponse>().Buffer, stream.Id)
                : default(ReadOnlyMemory<byte>?);
        }
        finally
        {
            await features.GetRequiredFeature<InnerResponse>().CompleteAsync();
            factory.Dispose(context);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> RefusalAsync(HttpContext context, BufferedBody body, string id)
    {
        var response = context.Response;
        // An endpoint with the ServesEvents mark has answered with something other than a stream.
        if (response.StatusCode is >= 200 and < 300 and not StatusCodes.Status204NoContent)
        {
            response.Clear();
            await Problem.WriteAsync(context, new DunlinException(ErrorCode.Internal));
        }
        await response.CompleteAsync();
        var retryAfter = (string?)response.Headers.RetryAfter;
        if (
            response.ContentType?.StartsWith(Problem.ContentType, StringComparison.OrdinalIgnoreCase) == true
            && body.TryParse() is { } document
        )
        {
            using (document)
                return CombinedBlocks.Refused(id, response.StatusCode, retryAfter, document.RootElement);
        }
        return CombinedBlocks.Refused(id, response.StatusCode, retryAfter, problem: null);
    }

    /// <summary>Restricts routing to endpoints with the <see cref="ServesEvents"/> mark: an inner stream cannot call any other
    /// endpoint.</summary>
    private sealed class StreamEndpointsOnly : IEndpointFeature
    {
        private static readonly Endpoint NoStream = new(
            static context =>
                Problem.WriteAsync(
                    context,
                    new DunlinException(
                        ErrorCode.NotFound,
                        "This path is not an event stream of this server. Use the path of an endpoint that serves events.",
                        "path"
                    )
                ),
            new EndpointMetadataCollection(WritesOwnProblems.Instance),
            "No event stream"
        );

        public Endpoint? Endpoint
        {
            get;
            set => field = value is null || value.Metadata.GetMetadata<ServesEvents>() is not null ? value : NoStream;
        }
    }

    private sealed class NoBody : IHttpRequestBodyDetectionFeature
    {
        public static NoBody Instance { get; } = new();

        public bool CanHaveBody => false;
    }

    private sealed class InnerLifetime(InnerSink stream) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = stream.Closing;

        public void Abort() => stream.Close();
    }

    /// <summary>Holds the headers of a response that is not sent.</summary>
    private sealed class InnerResponse : HttpResponseFeature
    {
        private readonly List<(Func<object, Task> Callback, object State)> _completed = [];

        public BufferedBody Buffer { get; } = new();

        public override void OnCompleted(Func<object, Task> callback, object state) => _completed.Add((callback, state));

        public async Task CompleteAsync()
        {
            foreach (var (callback, state) in Enumerable.Reverse(_completed))
                await callback(state);
        }
    }

    /// <summary>Keeps the beginning of the body of a refusal.</summary>
    private sealed class BufferedBody : MemoryStream
    {
        // A problem document has a few hundred bytes. Other bodies are not used.
        private const int MaxBytes = 16 * 1024;

        public override void Write(byte[] buffer, int offset, int count) =>
            base.Write(buffer, offset, (int)Math.Min(count, MaxBytes - Length));

        public override void WriteByte(byte value) => Write([value], 0, 1);

        public JsonDocument? TryParse()
        {
            try
            {
                return JsonDocument.Parse(GetBuffer().AsMemory(0, (int)Length));
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}
