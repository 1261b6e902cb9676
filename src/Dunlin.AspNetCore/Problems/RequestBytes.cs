using System.Buffers;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Problems;

/// <summary>Reads complete request bodies with a size limit. Thread-safe.</summary>
internal static class RequestBytes
{
    /// <summary>Reads a body without decoding it.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>: the body exceeds <paramref name="maxBytes"/>; the extension
    /// <c>limit</c> holds that number. <see cref="ErrorCode.UnsupportedMediaType"/>: the body is compressed.</exception>
    public static async ValueTask<byte[]> ReadAsync(HttpContext context, int maxBytes, CancellationToken cancellationToken)
    {
        RequirePlain(context.Request);
        if (context.Request.ContentLength > maxBytes)
            throw TooLarge(maxBytes);
        // Raises a lower limit of the server to maxBytes, so that the check below decides and its error names the limit.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit && limit.MaxRequestBodySize < maxBytes)
            limit.MaxRequestBodySize = maxBytes;

        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.Buffer.Length > maxBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                throw TooLarge(maxBytes);
            }
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            var bytes = read.Buffer.ToArray();
            reader.AdvanceTo(read.Buffer.End);
            return bytes;
        }
    }

    /// <summary>Reads a body of <c>application/x-www-form-urlencoded</c>. An empty body has no fields.</summary>
    /// <exception cref="DunlinException">As in <see cref="ReadAsync"/>. <see cref="ErrorCode.UnsupportedMediaType"/>: the body is not a
    /// form. <see cref="ErrorCode.InvalidField"/>: the form has too many fields, or a field is too long.</exception>
    public static async ValueTask<Dictionary<string, StringValues>> ReadFormAsync(
        HttpContext context,
        int maxBytes,
        CancellationToken cancellationToken
    )
    {
        var bytes = await ReadFormBytesAsync(context, maxBytes, cancellationToken);
        try
        {
            using var fields = new FormReader(System.Text.Encoding.UTF8.GetString(bytes));
            return await fields.ReadFormAsync(cancellationToken);
        }
        catch (InvalidDataException error)
        {
            throw new DunlinException(
                ErrorCode.InvalidField,
                "The form has too many fields, or a field that is too long.",
                innerException: error
            );
        }
    }

    /// <summary>Reads a body of <c>application/x-www-form-urlencoded</c> without parsing it.</summary>
    /// <exception cref="DunlinException">As in <see cref="ReadAsync"/>. <see cref="ErrorCode.UnsupportedMediaType"/>: the body is not a
    /// form.</exception>
    public static ValueTask<byte[]> ReadFormBytesAsync(HttpContext context, int maxBytes, CancellationToken cancellationToken)
    {
        const string form = "application/x-www-form-urlencoded";
        if (
            !MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || !type.MediaType.Equals(form, StringComparison.OrdinalIgnoreCase)
        )
            throw new DunlinException(
                ErrorCode.UnsupportedMediaType,
                $"The body must be a form. Send Content-Type: {form}.",
                HeaderNames.ContentType
            );
        return ReadAsync(context, maxBytes, cancellationToken);
    }

    private static void RequirePlain(HttpRequest request)
    {
        foreach (var encoding in request.Headers.GetCommaSeparatedValues(HeaderNames.ContentEncoding))
        {
            if (!encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            {
                throw new DunlinException(
                    ErrorCode.UnsupportedMediaType,
                    $"The body has Content-Encoding '{encoding}'. Send it uncompressed.",
                    HeaderNames.ContentEncoding
                );
            }
        }
    }

    private static DunlinException TooLarge(int maxBytes) =>
        new(ErrorCode.TooLarge, $"The body is larger than the limit of {maxBytes} bytes.")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = maxBytes },
        };
}
