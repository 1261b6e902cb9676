using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Problems;

/// <summary>
/// The one way to read a JSON request body: bounded, strict, and with errors that name the field. Safe for concurrent use.
/// </summary>
public static class RequestBody
{
    /// <summary>How deep a body may be nested: more than any real request needs, far less than a stack bears.</summary>
    public const int MaxDepth = 32;

    private const int MaxShown = 80;

    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> StrictOptions = [];

    /// <summary>Reads the body as one <typeparamref name="T"/>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="maxBytes">The most bytes taken, whatever <c>Content-Length</c> says.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The value; never null.</returns>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.UnsupportedMediaType"/>; <see cref="ErrorCode.TooLarge"/> with the extension <c>limit</c>;
    /// <see cref="ErrorCode.InvalidJson"/>: empty, not UTF-8, not JSON, a member twice, nested too deep, something after the value;
    /// <see cref="ErrorCode.UnknownField"/> and <see cref="ErrorCode.InvalidField"/> naming the member, for a null item of an array, half a
    /// surrogate pair, NUL and numbers out of range too.
    /// </exception>
    public static async ValueTask<T> ReadAsync<T>(HttpContext context, int maxBytes, CancellationToken cancellationToken)
        where T : notnull
    {
        var utf8 = await ReadUtf8Async(context, maxBytes, cancellationToken);
        return Parse<T>(context, utf8);
    }

    /// <summary>Reads the body as bytes that are known to be UTF-8 and to have come as JSON, but not yet parsed: for
    /// endpoints that take several shapes. <see cref="Parse{T}"/> does the rest.</summary>
    /// <exception cref="DunlinException">As in <see cref="ReadAsync{T}"/>.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadUtf8Async(
        HttpContext context,
        int maxBytes,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        RequireJson(context.Request);
        var utf8 = WithoutMark(await RequestBytes.ReadAsync(context, maxBytes, cancellationToken));
        if (utf8.Length == 0)
            throw new DunlinException(ErrorCode.InvalidJson, "The body is empty. Send one JSON value.");
        if (!Utf8.IsValid(utf8.Span))
            throw new DunlinException(ErrorCode.InvalidJson, "The body is not valid UTF-8. Encode the JSON text in UTF-8.");
        return utf8;
    }

    /// <summary>Parses bytes of <see cref="ReadUtf8Async"/> with the application's JSON options, made strict.</summary>
    /// <exception cref="DunlinException">As in <see cref="ReadAsync{T}"/>.</exception>
    public static T Parse<T>(HttpContext context, ReadOnlyMemory<byte> utf8)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(context);
        return JsonBinding.Read<T>(utf8, Strict(context.RequestServices));
    }

    private static void RequireJson(HttpRequest request)
    {
        if (
            !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !(
                type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || (
                    type.Type.Equals("application", StringComparison.OrdinalIgnoreCase)
                    && type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)
                )
            )
        )
        {
            throw new DunlinException(
                ErrorCode.UnsupportedMediaType,
                string.IsNullOrEmpty(request.ContentType)
                    ? "The request has no Content-Type. Send Content-Type: application/json."
                    : $"The Content-Type '{Shown(request.ContentType)}' is not JSON. Send Content-Type: application/json.",
                "Content-Type"
            );
        }
        if (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            throw new DunlinException(
                ErrorCode.UnsupportedMediaType,
                $"The charset '{Shown(type.Charset.Value!)}' is not supported. Send JSON in UTF-8.",
                "Content-Type"
            );
    }

    private static string Shown(string text) => text.Length <= MaxShown ? text : text[..MaxShown] + "…";

    // The application's converters and naming hold; what makes reading lenient does not.
    private static JsonSerializerOptions Strict(IServiceProvider services)
    {
        var configured = services.GetService<IOptions<JsonOptions>>()?.Value.SerializerOptions ?? JsonSerializerOptions.Web;
        return StrictOptions.GetValue(
            configured,
            static source => new JsonSerializerOptions(source)
            {
                Converters = { new TimeTextConverter() },
                PropertyNameCaseInsensitive = false,
                NumberHandling = JsonNumberHandling.Strict,
                UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
                AllowDuplicateProperties = false,
                AllowTrailingCommas = false,
                ReadCommentHandling = JsonCommentHandling.Disallow,
                RespectNullableAnnotations = true,
                RespectRequiredConstructorParameters = true,
                MaxDepth = MaxDepth,
            }
        );
    }

    // RFC 8259, section 8.1: a reader may ignore a byte order mark. Some writers of files cannot leave it out.
    private static ReadOnlyMemory<byte> WithoutMark(byte[] utf8) => utf8.AsSpan().StartsWith("\uFEFF"u8) ? utf8.AsMemory(3) : utf8;
}
