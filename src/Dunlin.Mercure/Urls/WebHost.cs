using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dunlin.Mercure.Urls;

/// <summary>Hosts of the WHATWG URL standard, section 3: domains, IPv4 and IPv6 addresses, and opaque hosts.</summary>
internal static class WebHost
{
    private const string Forbidden = "\0\t\n\r #/:<>?@[\\]^|";

    private static readonly IdnMapping Idn = new() { AllowUnassigned = true, UseStd3AsciiRules = false };

    /// <summary>Returns the serialized host, or null if the text is no host.</summary>
    /// <param name="text">The text between the slashes, without user and port.</param>
    /// <param name="isOpaque">Whether the scheme is not special: the host is then no domain.</param>
    public static string? Parse(string text, bool isOpaque)
    {
        if (text.StartsWith('['))
            return text.EndsWith(']') ? Ipv6(text[1..^1]) : null;
        if (isOpaque)
            return text.AsSpan().ContainsAny(Forbidden) ? null : PercentEncoding.Encode(text, PercentEncoding.Control);
        if (PercentEncoding.Decode(text) is not { } domain || ToAscii(domain) is not { Length: > 0 } ascii)
            return null;
        if (ascii.Any(c => c is <= ' ' or '\x7f' or '%' || Forbidden.Contains(c)))
            return null;
        return EndsInNumber(ascii) ? Ipv4(ascii) : ascii;
    }

    /// <summary>Returns the serialized IPv6 address in brackets, or null. <paramref name="text"/> has no brackets.</summary>
    public static string? Ipv6(string text)
    {
        if (text.Any(c => !char.IsAsciiHexDigit(c) && c is not (':' or '.')))
            return null;
        if (!IPAddress.TryParse(text, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6)
            return null;
        var bytes = address.GetAddressBytes();
        Span<int> pieces = stackalloc int[8];
        for (var i = 0; i < 8; i++)
            pieces[i] = (bytes[2 * i] << 8) | bytes[(2 * i) + 1];
        var (start, length) = LongestZeros(pieces);
        var result = new StringBuilder("[");
        for (var i = 0; i < 8; i++)
        {
            if (i == start)
            {
                result.Append(i == 0 ? "::" : ":");
                i += length - 1;
                continue;
            }
            result.Append(pieces[i].ToString("x", CultureInfo.InvariantCulture));
            if (i < 7)
                result.Append(':');
        }
        return result.Append(']').ToString();
    }

    // Only the first longest run of at least two zeros is compressed.
    private static (int Start, int Length) LongestZeros(ReadOnlySpan<int> pieces)
    {
        var (best, length) = (-1, 1);
        for (var i = 0; i < 8; i++)
        {
            var end = i;
            while (end < 8 && pieces[end] == 0)
                end++;
            if (end - i > length)
                (best, length) = (i, end - i);
            i = Math.Max(i, end - 1);
        }
        return (best, length);
    }

    private static string? ToAscii(string domain)
    {
        if (Ascii.IsValid(domain))
            return domain.ToLowerInvariant();
        try
        {
            return Idn.GetAscii(domain.ToLowerInvariant().Replace('\u3002', '.')).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool EndsInNumber(string host)
    {
        var parts = host.Split('.');
        var last = parts[^1].Length == 0 && parts.Length > 1 ? parts[^2] : parts[^1];
        return last.Length > 0 && (last.All(char.IsAsciiDigit) || Number(last) is not null);
    }

    private static string? Ipv4(string host)
    {
        var parts = host.Split('.').ToList();
        if (parts[^1].Length == 0 && parts.Count > 1)
            parts.RemoveAt(parts.Count - 1);
        if (parts.Count > 4)
            return null;
        long address = 0;
        for (var i = 0; i < parts.Count; i++)
        {
            var isLast = i == parts.Count - 1;
            if (Number(parts[i]) is not { } number || number >= (isLast ? 1L << (8 * (5 - parts.Count)) : 256))
                return null;
            address += isLast ? number : number << (8 * (3 - i));
        }
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(address >> 24) & 255}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}"
        );
    }

    // Decimal, octal after 0, hexadecimal after 0x. Values of more than 40 bits are as invalid as those of 33.
    private static long? Number(string text)
    {
        if (text.Length == 0)
            return null;
        var radix = 10;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            (text, radix) = (text[2..], 16);
        else if (text.Length > 1 && text[0] == '0')
            (text, radix) = (text[1..], 8);
        long value = 0;
        foreach (var c in text)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 99;
            if (digit >= radix)
                return null;
            value = Math.Min((value * radix) + digit, 1L << 40);
        }
        return value;
    }
}
