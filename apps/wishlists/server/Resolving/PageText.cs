using System.Text;
using System.Text.RegularExpressions;

namespace Dunlin.Apps.Wishlists.Resolving;

/// <summary>
/// Decodes a page in the order of the HTML Living Standard (13.2.3): byte order mark, header, declaration in the first kilobyte, UTF-8.
/// </summary>
internal static partial class PageText
{
    private const int SniffedBytes = 1_024;

    static PageText() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public static string Decode(ReadOnlyMemory<byte> bytes, string? headerCharset)
    {
        var span = bytes.Span;
        if (span.StartsWith(Encoding.UTF8.Preamble))
            return Encoding.UTF8.GetString(span[3..]);
        if (span.StartsWith(Encoding.Unicode.Preamble))
            return Encoding.Unicode.GetString(span[2..]);
        if (span.StartsWith(Encoding.BigEndianUnicode.Preamble))
            return Encoding.BigEndianUnicode.GetString(span[2..]);
        var encoding = Find(headerCharset) ?? Find(Declared(span)) ?? Encoding.UTF8;
        return encoding.GetString(span);
    }

    private static string? Declared(ReadOnlySpan<byte> bytes)
    {
        var start = Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, SniffedBytes)]);
        var match = MetaCharset().Match(start);
        if (!match.Success)
            return null;
        // A declaration that was readable as ASCII cannot be in UTF-16, even if it names it (HTML Living Standard, 13.2.3.2).
        var name = match.Groups["name"].Value;
        return name.StartsWith("utf-16", StringComparison.OrdinalIgnoreCase) ? "utf-8" : name;
    }

    private static Encoding? Find(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
            return null;
        name = name.Trim().Trim('"', '\'').ToLowerInvariant();
        // Browsers decode these labels as Windows-1252 (Encoding Standard).
        if (name is "iso-8859-1" or "latin1" or "ascii" or "us-ascii")
            name = "windows-1252";
        if (name == "utf-7")
            return null;
        try
        {
            return Encoding.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    [GeneratedRegex(
        "<meta[^>]{0,200}?charset\\s*=\\s*[\"']?\\s*(?<name>[a-zA-Z0-9_:.-]{1,40})",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex MetaCharset();
}
