using Dunlin.Diagnostics;

namespace Dunlin.Apps.Documents;

/// <summary>The errors of this system that the engine's table does not contain.</summary>
public static class DocumentErrors
{
    /// <summary>The text is not well-formed. <c>line</c> and <c>column</c> name the position.</summary>
    public static readonly ErrorCode MalformedXml = new(
        "malformed_xml",
        400,
        ErrorClass.Stop,
        "The text is not well-formed XML.",
        "Correct the place at 'line' and 'column' and save again."
    );

    /// <summary>The text uses refused XML: a document type, an inclusion, too much depth, or too many attributes.</summary>
    public static readonly ErrorCode UnsafeXml = new(
        "unsafe_xml",
        400,
        ErrorClass.Stop,
        "The text uses a part of XML that is not taken here.",
        "Remove what stands at 'line' and 'column'."
    );

    /// <summary>Writes are blocked, except for administrators.</summary>
    public static readonly ErrorCode Maintenance = new(
        "maintenance",
        503,
        ErrorClass.Retry,
        "The documents are under maintenance.",
        "Keep your text; you can save it when maintenance is over."
    );

    internal static DunlinException NoFile(string stableId) =>
        new(ErrorCode.NotFound, $"There is no file '{Shown(stableId)}', or it was deleted.", "file_id");

    internal static DunlinException NoCollection(string id) =>
        new(ErrorCode.NotFound, $"There is no collection '{Shown(id)}'.", "collection");

    internal static DunlinException At(ErrorCode code, int line, int column, string detail, Exception? cause = null) =>
        new(code, $"Line {line}, column {column}: {detail}", "xml_string", cause)
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["line"] = line,
                ["column"] = column,
                ["reason"] = detail,
            },
        };

    internal static DunlinException TooLarge(int limit) =>
        new(ErrorCode.TooLarge, $"A document has at most {limit} bytes.", "xml_string")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
