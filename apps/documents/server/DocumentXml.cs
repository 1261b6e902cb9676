using System.Text;
using System.Xml;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Documents;

/// <summary>
/// Says whether a text may be kept as a document, and gives its bytes. It is read once, from front to back, by a reader
/// that resolves nothing and expands nothing; the text itself is never changed. The reader bounds neither depth nor the
/// attributes of one tag (it holds all of a tag's at once), so both are bounded here, before it sees them.
/// </summary>
internal static class DocumentXml
{
    /// <summary>The limit of a document, in bytes of UTF-8.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    /// <summary>Elements within elements: TEI needs some thirty, a stack of 100,000 is an attack.</summary>
    public const int MaxDepth = 256;

    /// <summary>Attributes of one element: TEI needs some ten.</summary>
    public const int MaxAttributes = 256;

    /// <summary>How the reader's text begins where it meets a document type. Others quote names of the document, which may hold anything.</summary>
    private const string TypeRefused = "For security reasons DTD is prohibited";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly string[] InclusionNamespaces = ["http://www.w3.org/2001/XInclude", "http://www.w3.org/2003/XInclude"];

    /// <summary>The bytes of a text that is well-formed and harmless.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.TooLarge"/>, <see cref="DocumentErrors.MalformedXml"/> or
    /// <see cref="DocumentErrors.UnsafeXml"/> with line and column.</exception>
    public static byte[] Check(string text)
    {
        if (text.Length > MaxBytes || Encoding.UTF8.GetByteCount(text) > MaxBytes)
            throw DocumentErrors.TooLarge(MaxBytes);
        BoundTags(text);
        Read(text);
        try
        {
            return Strict.GetBytes(text);
        }
        catch (EncoderFallbackException exception)
        {
            var (line, column) = PlaceOf(text, exception.Index);
            throw DocumentErrors.At(DocumentErrors.MalformedXml, line, column, "half of a surrogate pair", exception);
        }
    }

    private static void Read(string text)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxBytes,
            ConformanceLevel = ConformanceLevel.Document,
            CheckCharacters = true,
            CloseInput = true,
        };
        // The mark at the beginning belongs to the bytes, not to the document.
        using var reader = XmlReader.Create(new StringReader(text.StartsWith('\uFEFF') ? text[1..] : text), settings);
        var place = (IXmlLineInfo)reader;
        try
        {
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.Element)
                    CheckElement(reader, place);
                else if (reader.NodeType == XmlNodeType.XmlDeclaration)
                    CheckDeclaration(reader, place);
            }
        }
        catch (XmlException exception)
        {
            var isType = exception.Message.StartsWith(TypeRefused, StringComparison.Ordinal);
            throw DocumentErrors.At(
                isType ? DocumentErrors.UnsafeXml : DocumentErrors.MalformedXml, Math.Max(1, exception.LineNumber), Math.Max(1, exception.LinePosition),
                isType ? "document types (<!DOCTYPE>) are not taken" : Words(exception), exception);
        }
    }

    private static void CheckElement(XmlReader reader, IXmlLineInfo place)
    {
        if (Array.IndexOf(InclusionNamespaces, reader.NamespaceURI) >= 0)
            throw DocumentErrors.At(DocumentErrors.UnsafeXml, place.LineNumber, place.LinePosition, "inclusions (XInclude) are not taken");
    }

    // Kept and sent as UTF-8: a declaration that says otherwise would make other programs misread it.
    private static void CheckDeclaration(XmlReader reader, IXmlLineInfo place)
    {
        var encoding = reader.GetAttribute("encoding");
        if (encoding is not null && !encoding.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            throw DocumentErrors.At(DocumentErrors.UnsafeXml, place.LineNumber, place.LinePosition, $"the encoding is UTF-8, not '{encoding}'");
    }

    /// <summary>Looks for tags too deep or with too many attributes, knowing no more of XML than where a tag begins and ends.
    /// Where the text is not well-formed it may lose its way, but not before the place at which the reader stops.</summary>
    private static void BoundTags(string text)
    {
        var (at, depth) = (0, 0);
        while ((at = text.IndexOf('<', at)) >= 0)
        {
            var rest = text.AsSpan(at);
            if (rest.StartsWith("<!--", StringComparison.Ordinal))
                at = After(text, at + 4, "-->");
            else if (rest.StartsWith("<![CDATA[", StringComparison.Ordinal))
                at = After(text, at + 9, "]]>");
            else if (rest.StartsWith("<?", StringComparison.Ordinal))
                at = After(text, at + 2, "?>");
            else if (rest.StartsWith("<!", StringComparison.Ordinal))
                return;   // a document type, or nothing: the reader stops there
            else if (rest.StartsWith("</", StringComparison.Ordinal))
                (at, depth) = (After(text, at + 2, ">"), depth - 1);
            else
            {
                var start = at;
                at = AfterTag(text, start);
                if (text[at - 1] == '>' && text[at - 2] == '/')
                    continue;
                if (++depth > MaxDepth)
                    throw Unsafe(text, start, $"more than {MaxDepth} elements within each other");
            }
        }
    }

    private static DunlinException Unsafe(string text, int index, string detail)
    {
        var (line, column) = PlaceOf(text, index);
        return DocumentErrors.At(DocumentErrors.UnsafeXml, line, column, detail);
    }

    private static int After(string text, int from, string end) =>
        text.IndexOf(end, from, StringComparison.Ordinal) is var found and >= 0 ? found + end.Length : text.Length;

    private static int AfterTag(string text, int start)
    {
        var attributes = 0;
        for (var i = start + 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '>':
                    return i + 1;
                case '=' when ++attributes > MaxAttributes:
                    throw Unsafe(text, start, $"more than {MaxAttributes} attributes in one element");
                case '"' or '\'':
                    i = text.IndexOf(text[i], i + 1);
                    if (i < 0)
                        return text.Length;
                    break;
                default:
                    break;
            }
        }
        return text.Length;
    }

    private static (int Line, int Column) PlaceOf(string text, int index)
    {
        var before = text.AsSpan(0, index);
        var lastBreak = before.LastIndexOf('\n');
        return (before.Count('\n') + 1, index - lastBreak);
    }

    // The reader ends its texts with the place, which is told apart.
    private static string Words(XmlException exception)
    {
        var cut = exception.Message.LastIndexOf(" Line ", StringComparison.Ordinal);
        return cut > 0 ? exception.Message[..cut] : exception.Message;
    }
}
