using System.Text;
using System.Xml;
using Dunlin.Diagnostics;

namespace Dunlin.Apps.Documents.Files;

/// <summary>
/// Checks whether a text may be stored as a document, and returns its bytes. A reader without resolution and expansion reads it once; the
/// text itself is never changed. The reader limits neither depth nor the attributes of one tag, which it holds in memory together. So this
/// class limits both first.
/// </summary>
internal static class DocumentXml
{
    /// <summary>Maximum size of a document in bytes of UTF-8.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    /// <summary>Maximum depth of elements. TEI needs about thirty; 100,000 are an attack.</summary>
    public const int MaxDepth = 256;

    /// <summary>Maximum of attributes of one element. TEI needs about ten.</summary>
    public const int MaxAttributes = 256;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly string[] InclusionNamespaces = ["http://www.w3.org/2001/XInclude", "http://www.w3.org/2003/XInclude"];

    /// <summary>Returns the bytes of a well-formed and accepted text.</summary>
    /// <exception cref="DunlinException">
    /// <see cref="ErrorCode.TooLarge"/>: the text is too long. <see cref="DocumentErrors.MalformedXml"/> or
    /// <see cref="DocumentErrors.UnsafeXml"/>: it is refused, with line and column.
    /// </exception>
    public static byte[] Check(string text)
    {
        if (text.Length > MaxBytes || Encoding.UTF8.GetByteCount(text) > MaxBytes)
            throw DocumentErrors.TooLarge(MaxBytes);
        Read(text, BoundTags(text));
        try
        {
            return Strict.GetBytes(text);
        }
        catch (EncoderFallbackException exception)
        {
            var (line, column) = PlaceOf(text, exception.Index);
            throw DocumentErrors.At(DocumentErrors.MalformedXml, line, column, "the text has an unpaired surrogate", exception);
        }
    }

    private static void Read(string text, int typeAt)
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
        // The byte order mark belongs to the bytes, not to the document.
        var document = text.StartsWith('\uFEFF') ? text[1..] : text;
        using var reader = XmlReader.Create(new StringReader(document), settings);
        var at = (IXmlLineInfo)reader;
        try
        {
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.Element)
                    CheckElement(reader, at);
                else if (reader.NodeType == XmlNodeType.XmlDeclaration)
                    CheckDeclaration(reader, at);
            }
        }
        catch (XmlException exception)
        {
            // The reader stops at a document type, unless an earlier error stops it, and does not report the position. Its message cannot
            // tell either, because it repeats names of the text.
            var type = typeAt < 0 ? default : PlaceOf(document, typeAt - (text.Length - document.Length));
            var place = (exception.LineNumber, exception.LinePosition);
            if (typeAt >= 0 && (exception.LineNumber == 0 || place.CompareTo(type) >= 0))
                throw DocumentErrors.At(
                    DocumentErrors.UnsafeXml,
                    type.Line,
                    type.Column,
                    "document types (<!DOCTYPE>) are not supported",
                    exception
                );
            throw DocumentErrors.At(
                DocumentErrors.MalformedXml,
                Math.Max(1, exception.LineNumber),
                Math.Max(1, exception.LinePosition),
                Words(exception),
                exception
            );
        }
    }

    private static void CheckElement(XmlReader reader, IXmlLineInfo place)
    {
        if (Array.IndexOf(InclusionNamespaces, reader.NamespaceURI) >= 0)
            throw DocumentErrors.At(
                DocumentErrors.UnsafeXml,
                place.LineNumber,
                place.LinePosition,
                "inclusions (XInclude) are not supported"
            );
    }

    // The text is stored and sent as UTF-8. Another declaration would mislead other programs.
    private static void CheckDeclaration(XmlReader reader, IXmlLineInfo place)
    {
        // The reader compares only the first three characters of the version.
        if (reader.GetAttribute("version") is not "1.0" and var version)
            throw DocumentErrors.At(
                DocumentErrors.MalformedXml,
                place.LineNumber,
                place.LinePosition,
                $"the version of XML must be 1.0, not '{version}'"
            );
        var encoding = reader.GetAttribute("encoding");
        if (encoding is not null && !encoding.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            throw DocumentErrors.At(
                DocumentErrors.UnsafeXml,
                place.LineNumber,
                place.LinePosition,
                $"the encoding must be UTF-8, not '{encoding}'"
            );
    }

    /// <summary>
    /// Finds tags that are too deep or have too many attributes. It recognises only where a tag starts and ends. In a malformed text it may
    /// lose track, but not before the position at which the reader stops.
    /// </summary>
    /// <returns>The index of a document type; -1 if there is none.</returns>
    private static int BoundTags(string text)
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
                return rest.StartsWith("<!DOCTYPE", StringComparison.Ordinal) ? at : -1; // the reader stops there
            else if (rest.StartsWith("</", StringComparison.Ordinal))
                (at, depth) = (After(text, at + 2, ">"), depth - 1);
            else
            {
                var start = at;
                at = AfterTag(text, start);
                if (text[at - 1] == '>' && text[at - 2] == '/')
                    continue;
                if (++depth > MaxDepth)
                    throw Unsafe(text, start, $"elements are nested deeper than {MaxDepth} levels");
            }
        }
        return -1;
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
                    throw Unsafe(text, start, $"an element has more than {MaxAttributes} attributes");
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

    // Lines end at CR LF, LF and CR (XML 1.0, section 2.11), as the reader counts them.
    private static (int Line, int Column) PlaceOf(string text, int index)
    {
        var (line, lineStart) = (1, 0);
        for (var i = 0; i < index; i++)
        {
            if (text[i] != '\n' && (text[i] != '\r' || (i + 1 < text.Length && text[i + 1] == '\n')))
                continue;
            line++;
            lineStart = i + 1;
        }
        return (line, index - lineStart + 1);
    }

    // The reader's messages end with the position, which is returned separately.
    private static string Words(XmlException exception)
    {
        var cut = exception.Message.LastIndexOf(" Line ", StringComparison.Ordinal);
        return cut > 0 ? exception.Message[..cut] : exception.Message;
    }
}
