using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Mercure.Forms;

/// <summary>Parses <c>application/x-www-form-urlencoded</c> as the WHATWG URL standard does, but refuses text that is not UTF-8.</summary>
internal static class FormText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Returns the pairs in their order.</summary>
    /// <exception cref="FormatException">A name or value is not UTF-8.</exception>
    public static List<KeyValuePair<string, string>> Parse(ReadOnlySpan<byte> text)
    {
        List<KeyValuePair<string, string>> pairs = [];
        foreach (var range in text.Split((byte)'&'))
        {
            var pair = text[range];
            if (pair.IsEmpty)
                continue;
            var equals = pair.IndexOf((byte)'=');
            pairs.Add(new(Decode(equals < 0 ? pair : pair[..equals]), equals < 0 ? "" : Decode(pair[(equals + 1)..])));
        }
        return pairs;
    }

    /// <summary>Returns the pairs of the query of a request.</summary>
    public static List<KeyValuePair<string, string>> OfQuery(HttpRequest request) =>
        request.QueryString.Value is { Length: > 1 } query ? Parse(Encoding.UTF8.GetBytes(query, 1, query.Length - 1)) : [];

    /// <summary>Reads the form of a request.</summary>
    /// <exception cref="DunlinException">The body is no form (415) or too large (413).</exception>
    /// <exception cref="FormatException">A name or value is not UTF-8.</exception>
    public static async ValueTask<List<KeyValuePair<string, string>>> ReadAsync(HttpContext context, int maxBytes) =>
        Parse(await RequestBytes.ReadFormBytesAsync(context, maxBytes, context.RequestAborted));

    private static string Decode(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit((char)text[i + 1]) && char.IsAsciiHexDigit((char)text[i + 2]))
            {
                bytes[length++] = Convert.FromHexString([(char)text[i + 1], (char)text[i + 2]])[0];
                i += 2;
            }
            else
                bytes[length++] = text[i] == '+' ? (byte)' ' : text[i];
        }
        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException exception)
        {
            throw new FormatException("A name or value of the form is not valid UTF-8.", exception);
        }
    }
}
