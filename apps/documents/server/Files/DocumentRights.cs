using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Files;

/// <summary>Who may do what with a file that it may see: a gold standard is written by reviewers, a version by annotators and
/// reviewers; a file is deleted by its owner, by reviewers and by administrators.</summary>
internal static class DocumentRights
{
    public const string Annotator = "annotator";

    public const string Reviewer = "reviewer";

    public static FileRights Of(Caller caller, DocumentFile file)
    {
        var reviews = caller.Roles.Contains(Reviewer);
        var annotates = reviews || caller.Roles.Contains(Annotator);
        var isText = string.Equals(file.Kind, FileKind.Text, StringComparison.Ordinal);
        return new FileRights(
            Write: isText && (file.IsGoldStandard ? reviews : annotates),
            NewVersion: isText && annotates,
            Promote: isText && reviews,
            Delete: reviews || caller.IsAdministrator || string.Equals(file.OwnerId, caller.UserId, StringComparison.Ordinal)
        );
    }

    /// <summary>A lock is for those who can do something under it: others would only keep these away.</summary>
    public static void RequireLock(Caller caller, DocumentFile file)
    {
        if (Of(caller, file) is { Write: false, Delete: false })
            throw new DunlinException(ErrorCode.Forbidden, "You may read this file, not change it.");
    }

    public static void RequireWrite(Caller caller, DocumentFile file) =>
        Require(
            Of(caller, file).Write,
            file.IsGoldStandard ? "A gold standard is written by reviewers." : "A version is written by annotators and reviewers."
        );

    public static void RequireNewVersion(Caller caller, DocumentFile file) =>
        Require(Of(caller, file).NewVersion, "A version is written by annotators and reviewers.");

    public static void RequirePromote(Caller caller, DocumentFile file) =>
        Require(Of(caller, file).Promote, "A gold standard is written by reviewers.");

    public static void RequireDelete(Caller caller, DocumentFile file) =>
        Require(Of(caller, file).Delete, "A file is deleted by its owner, by reviewers and by administrators.");

    public static void RequireImport(Caller caller) => Require(Writes(caller), "A document is added by annotators and reviewers.");

    /// <summary>Whether there is any text that the caller could write.</summary>
    public static void RequireWriter(Caller caller) => Require(Writes(caller), "Texts are written by annotators and reviewers.");

    public static void RequireAdministrator(Caller caller) => Require(caller.IsAdministrator, "This is for administrators.");

    private static bool Writes(Caller caller) => caller.Roles.Contains(Annotator) || caller.Roles.Contains(Reviewer);

    private static void Require(bool allowed, string detail)
    {
        if (!allowed)
            throw new DunlinException(ErrorCode.Forbidden, detail);
    }
}
