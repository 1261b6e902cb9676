using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Dunlin.Client;

/// <summary>Reads a refusal, whether or not its body is a problem document (RFC 9457).</summary>
internal static class ProblemReader
{
    // A problem document is short. A longer body is a page of a proxy.
    private const int MaxDocument = 64 * 1024;

    private static readonly string[] LostReasons = ["expired", "taken", "handedOff", "released", "unknown"];

    public static async Task<ClientProblem> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var document = await ReadDocumentAsync(response, cancellationToken).ConfigureAwait(false);
        var status = (int)response.StatusCode;
        var code = Text(document, "code") ?? string.Create(CultureInfo.InvariantCulture, $"http.{status}");
        var kind = KindOf(response.StatusCode, code, document);
        return new ClientProblem
        {
            Kind = kind,
            Code = code,
            Title = Text(document, "title") ?? $"The server answered {status}.",
            Class = ClassOf(Text(document, "class"), kind),
            Status = status,
            Detail = Text(document, "detail"),
            Hint = Text(document, "hint"),
            Link = LinkOf(Text(document, "type"), response.RequestMessage?.RequestUri),
            Field = Text(document, "field"),
            Topic = kind == ProblemKind.Forbidden ? Text(document, "topic") : null,
            RetryAfter = kind is ProblemKind.Busy or ProblemKind.OutcomeUnknown ? RetryAfterOf(response) : null,
            LostReason = kind == ProblemKind.Lost ? Text(document, "reason") : null,
            Holder = kind is ProblemKind.Held or ProblemKind.Lost ? LeaseHolder.Read(document) : null,
            Document = document,
        };
    }

    /// <summary>Returns <c>Retry-After</c>, from seconds or from a date.</summary>
    public static TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        if (response.Headers.RetryAfter is not { } after)
            return null;
        if (after.Delta is { } delta)
            return delta;
        // The date is compared with the server's Date header, so the local clock may be wrong.
        if (after.Date is not { } until || response.Headers.Date is not { } sent)
            return null;
        return until > sent ? until - sent : TimeSpan.Zero;
    }

    private static ProblemKind KindOf(HttpStatusCode statusCode, string code, JsonElement? document)
    {
        var status = (int)statusCode;
        if (code == "outcome_unknown")
            return ProblemKind.OutcomeUnknown;
        // A quota that only a deletion relieves is 429 too. Repeating does not help then.
        var isFinal = Text(document, "class") == "stop";
        if (!isFinal && (status is 408 or 425 or 429 or >= 500))
            return ProblemKind.Busy;
        return status switch
        {
            400 or 413 or 422 or 429 => ProblemKind.Invalid,
            401 => ProblemKind.SignedOut,
            403 => ProblemKind.Forbidden,
            404 or 410 => ProblemKind.NotFound,
            409 when code == "user_changed" => ProblemKind.SignedOut,
            409 when Array.IndexOf(LostReasons, Text(document, "reason")) >= 0 => ProblemKind.Lost,
            409 or 412 => ProblemKind.Conflict,
            423 => ProblemKind.Held,
            _ => ProblemKind.Unexpected,
        };
    }

    private static ProblemClass ClassOf(string? name, ProblemKind kind) =>
        name switch
        {
            "retry" => ProblemClass.Retry,
            "resync" => ProblemClass.Resync,
            "stop" => ProblemClass.Stop,
            _ => kind switch
            {
                ProblemKind.Busy or ProblemKind.OutcomeUnknown or ProblemKind.Held => ProblemClass.Retry,
                ProblemKind.Lost or ProblemKind.Conflict => ProblemClass.Resync,
                _ => ProblemClass.Stop,
            },
        };

    // A path is relative to the address of the request (RFC 9457, section 3.1.1).
    private static string? LinkOf(string? type, Uri? request)
    {
        if (type is null || request is null || !Uri.TryCreate(request, type, out var link))
            return null;
        return link.Scheme is "http" or "https" && link.Fragment.Length > 1 ? link.AbsoluteUri : null;
    }

    private static string? Text(JsonElement? document, string name) =>
        document is { } root && root.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            ? member.GetString()
            : null;

    private static async Task<JsonElement?> ReadDocumentAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > MaxDocument)
            return null;
        try
        {
            await response.Content.LoadIntoBufferAsync(MaxDocument, cancellationToken).ConfigureAwait(false);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        // The status is known even if the body is not: a page of a proxy, a body that is too long, or a connection that broke.
        catch (Exception exception) when (exception is JsonException or HttpRequestException or IOException)
        {
            return null;
        }
    }
}
