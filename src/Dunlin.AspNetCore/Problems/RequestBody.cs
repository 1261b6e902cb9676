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

/// <summary>Reads JSON request bodies with a size limit and strict rules. Errors name the field. Thread-safe.</summary>
public static class RequestBody
{
    /// <summary>The maximum nesting depth of a body: more than a real request needs, and far below the depth that overflows a
    /// stack.</summary>
    public const int MaxDepth = 32;

    private const int MaxShown = 80;

    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> StrictOptions = [];

    /// <summary>Reads the body as one <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">The type of the body.</typeparam>
    /// <param name="context">The request.</param>
    /// <param name="maxBytes">The maximum size of the body in bytes. It also applies to bodies without <c>Content-Length</c>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The value; never null.</returns>
    /// <exception cref="DunlinException">
    /// <list type="bullet">
    /// <item><see cref="ErrorCode.UnsupportedMediaType"/>: the body is not JSON in UTF-8, or is compressed.</item>
    /// <item><see cref="ErrorCode.TooLarge"/>: the body exceeds <paramref name="maxBytes"/>; the extension <c>limit</c> holds that
    /// number.</item>
    /// <item><see cref="ErrorCode.InvalidJson"/>: the body is empty, is not UTF-8 or JSON, repeats a member, nests too deep, or has text
    /// after the value.</item>
    /// <item><see cref="ErrorCode.UnknownField"/> or <see cref="ErrorCode.InvalidField"/>: a member is unknown or invalid; the error names
    /// it. Null array items, unpaired surrogates, NUL and numbers out of range are invalid.</item>
    /// </list>
    /// </exception>
    public static async ValueTask<T> ReadAsync<T>(HttpContext context, int maxBytes, CancellationToken cancellationToken)
        where T : notnull
    {
        var utf8 = await ReadUtf8Async(context, maxBytes, cancellationToken);
        return Parse<T>(context, utf8);
    }

    /// <summary>Reads the body as UTF-8 bytes without parsing them, for endpoints that accept several shapes. Pass the bytes to
    /// <see cref="Parse{T}"/>.</summary>
    /// <exception cref="DunlinException">The size, content type or encoding is wrong; see <see cref="ReadAsync{T}"/>.</exception>
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
    /// <exception cref="DunlinException">The JSON is invalid; see <see cref="ReadAsync{T}"/>.</exception>
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
                    : $"The Content-Type '{Excerpt.Of(request.ContentType, MaxShown)}' is not JSON. Send Content-Type: application/json.",
                "Content-Type"
            );
        }
        if (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            throw new DunlinException(
                ErrorCode.UnsupportedMediaType,
                $"The charset '{Excerpt.Of(type.Charset.Value!, MaxShown)}' is not supported. Send JSON in UTF-8.",
                "Content-Type"
            );
    }

    // Keeps the application's converters and naming, and overrides the settings that make reading lenient.
    private static JsonSerializerOptions Strict(IServiceProvider services)
    {
        var configured = services.GetService<IOptions<JsonOptions>>()?.Value.SerializerOptions ?? JsonContracts.Web;
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

    // RFC 8259, section 8.1: a parser may ignore a byte order mark. Some programs always write one.
    private static ReadOnlyMemory<byte> WithoutMark(byte[] utf8) => utf8.AsSpan().StartsWith("\uFEFF"u8) ? utf8.AsMemory(3) : utf8;
}
