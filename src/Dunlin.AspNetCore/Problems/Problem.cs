using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Problems;

/// <summary>Writes errors as <c>application/problem+json</c> (RFC 9457). Thread-safe.</summary>
/// <remarks>
/// Members: <c>type</c>, <c>title</c>, <c>status</c>, <c>detail</c>, <c>code</c>, <c>class</c>, <c>hint</c>, <c>field</c> if one field is
/// at fault, <c>traceId</c>, and the extensions of the error. <c>UseDunlinProblems()</c> writes the problems of all endpoints. An endpoint
/// that handles its own errors, such as a stream, calls <see cref="WriteAsync"/>.
/// </remarks>
public static class Problem
{
    /// <summary>The content type of problem documents.</summary>
    public const string ContentType = "application/problem+json";

    // Texts are for people, so apostrophes are not escaped. Neither is markup: the content type and "nosniff" make it harmless.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> ExtensionOptions = [];

    private static readonly HashSet<string> OwnMembers = new(StringComparer.Ordinal)
    {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "class",
        "hint",
        "field",
        "traceId",
    };

    /// <summary>Writes the problem document of <paramref name="exception"/>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="exception">The error. An exception without a row in the error table becomes <c>internal</c> and is logged with the
    /// trace id of the response.</param>
    /// <remarks>If the response has started, the method aborts the connection, so that the client cannot take a partial response for a
    /// complete one.</remarks>
    public static Task WriteAsync(HttpContext context, Exception exception)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(exception);
        var traceId = TraceId(context);
        var known = ProblemTranslation.Translate(exception);
        var log = Log(context);
        if (IsOfPeerGone(context, exception))
        {
            ProblemLog.PeerGone(log, traceId);
            context.Abort();
            return Task.CompletedTask;
        }
        if (context.Response.HasStarted)
        {
            if (known is { Code.Status: < StatusCodes.Status500InternalServerError })
                ProblemLog.RefusedLate(log, known.Code.Code, traceId);
            else
                ProblemLog.ResponseBegun(log, traceId, exception);
            context.Abort();
            return Task.CompletedTask;
        }
        if (known is null)
            ProblemLog.Unexpected(log, traceId, exception);
        else if (known.Code.Status < StatusCodes.Status500InternalServerError)
            Refuse(context, known, log, traceId);
        else if (ReferenceEquals(known, exception) && known.InnerException is null && known.Code != ErrorCode.Internal)
            ProblemLog.Unavailable(log, known.Code.Code, known.Message, traceId); // its stack trace would only name the check
        else
            ProblemLog.Failed(log, known.Code.Code, traceId, exception);
        return AnswerAsync(context, known ?? new DunlinException(ErrorCode.Internal), traceId);
    }

    private static void Refuse(HttpContext context, DunlinException problem, ILogger log, string traceId)
    {
        ProblemLog.Refused(log, problem.Code.Code, problem.Code.Status, traceId);
        if (problem.Code.Status is not (StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden))
            return;
        foreach (var observer in context.RequestServices.GetServices<IRefusalObserver>())
            observer.OnRefused(context, problem, traceId);
    }

    // The client has disconnected: there is nobody to answer, and the server is not at fault.
    private static bool IsOfPeerGone(HttpContext context, Exception exception) =>
        exception is ConnectionResetException or ConnectionAbortedException
        || (context.RequestAborted.IsCancellationRequested && exception is (OperationCanceledException or IOException));

    private static async Task AnswerAsync(HttpContext context, DunlinException problem, string traceId)
    {
        var errorPage = context.RequestServices.GetRequiredService<IOptions<ProblemOptions>>().Value.ErrorPage;
        var body = Serialize(problem, traceId, errorPage, Extensions(context.RequestServices));
        Prepare(context.Response, problem);
        context.Response.ContentLength = body.Length;
        // Not HttpMethods.IsHead, which ignores case: the web server omits the body only for the exact method.
        if (context.Request.Method != HttpMethods.Head)
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static string TraceId(HttpContext context) => Activity.Current?.Id ?? context.TraceIdentifier;

    // Keeps headers that other middleware sets on every response (CORS, security, Allow). Removes headers that describe the replaced body.
    private static void Prepare(HttpResponse response, DunlinException problem)
    {
        var headers = response.Headers;
        headers.Remove(HeaderNames.ETag);
        headers.Remove(HeaderNames.LastModified);
        headers.Remove(HeaderNames.ContentEncoding);
        headers.Remove(HeaderNames.ContentDisposition);
        response.StatusCode = problem.Code.Status;
        response.ContentType = ContentType;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        if (problem.RetryAfter is { } wait)
            headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        // RFC 9110, section 11.6.1: a 401 response names a scheme. Browsers open no dialogue for Bearer.
        if (problem.Code.Status == StatusCodes.Status401Unauthorized && headers.WWWAuthenticate.Count == 0)
            headers.WWWAuthenticate = "Bearer";
    }

    private static byte[] Serialize(DunlinException problem, string traceId, string errorPage, JsonSerializerOptions extensions)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("type", $"{problem.Code.Page ?? errorPage}#{problem.Code.Code}");
            json.WriteString("title", problem.Code.Title);
            json.WriteNumber("status", problem.Code.Status);
            json.WriteString("detail", problem.Message);
            json.WriteString("code", problem.Code.Code);
            json.WriteString("class", ClassName(problem.Code.Class));
            json.WriteString("hint", problem.Code.Hint);
            if (problem.Field is not null)
                json.WriteString("field", problem.Field);
            json.WriteString("traceId", traceId);
            foreach (var (name, value) in problem.Extensions)
            {
                if (OwnMembers.Contains(name))
                    continue;
                json.WritePropertyName(name);
                if (value is null)
                    json.WriteNullValue();
                else
                    JsonSerializer.Serialize(json, value, extensions.GetTypeInfo(value.GetType()));
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    // The names of the contract, and the application's types.
    private static JsonSerializerOptions Extensions(IServiceProvider services) =>
        ExtensionOptions.GetValue(
            services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions,
            static application => new JsonSerializerOptions(JsonSerializerDefaults.Web)
            {
                Encoder = Encoder,
                TypeInfoResolver = JsonTypeInfoResolver.Combine(
                    HttpJson.Default,
                    application.TypeInfoResolver,
                    JsonContracts.Web.TypeInfoResolver
                ),
            }
        );

    private static string ClassName(ErrorClass value) =>
        value switch
        {
            ErrorClass.Retry => "retry",
            ErrorClass.Resync => "resync",
            _ => "stop",
        };

    private static ILogger Log(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Dunlin.Problems");
}
