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
        "Correct the text at 'line' and 'column', then save again."
    );

    /// <summary>The text uses refused XML: a document type, an inclusion, too much depth, or too many attributes.</summary>
    public static readonly ErrorCode UnsafeXml = new(
        "unsafe_xml",
        400,
        ErrorClass.Stop,
        "The text uses a feature of XML that is not supported.",
        "Remove the feature at 'line' and 'column', then save again."
    );

    /// <summary>Writes are blocked, except for administrators.</summary>
    public static readonly ErrorCode Maintenance = new(
        "maintenance",
        503,
        ErrorClass.Retry,
        "The documents are under maintenance.",
        "Keep your text, and save it when the maintenance has ended."
    );

    /// <summary>The file has a shared draft, so it cannot be locked, deleted or promoted.</summary>
    public static readonly ErrorCode EditedTogether = new(
        "edited_together",
        423,
        ErrorClass.Stop,
        "Several users edit this file together.",
        "Join the shared draft, or end it first."
    );

    /// <summary>The shared draft of a save has ended.</summary>
    public static readonly ErrorCode SharedDraftEnded = new(
        "shared_draft_ended",
        409,
        ErrorClass.Resync,
        "The shared draft has ended.",
        "Load the file again, or save your text as a new version."
    );

    internal static DunlinException EditedTogetherBy(string startedBy) =>
        new(EditedTogether, $"{startedBy} has started to edit this file together with others.")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["started_by"] = startedBy },
        };

    internal static DunlinException NoFile(string stableId) =>
        new(ErrorCode.NotFound, $"No file with id '{Shown(stableId)}', or it was deleted.", "file_id");

    internal static DunlinException NoCollection(string id) =>
        new(ErrorCode.NotFound, $"No collection with id '{Shown(id)}'.", "collection");

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
        new(ErrorCode.TooLarge, $"The document is larger than the limit of {limit} bytes.", "xml_string")
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["limit"] = limit },
        };

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
