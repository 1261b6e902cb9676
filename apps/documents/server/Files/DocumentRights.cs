using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Files;

/// <summary>
/// The permissions on a visible file. Reviewers write gold standards; annotators and reviewers write versions. The owner, reviewers and
/// administrators delete a file.
/// </summary>
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
            Delete: MayDelete(caller, file.OwnerId)
        );
    }

    /// <summary>Returns whether the caller may delete and restore the files of an owner.</summary>
    public static bool MayDelete(Caller caller, string ownerId) =>
        caller.Roles.Contains(Reviewer) || caller.IsAdministrator || string.Equals(ownerId, caller.UserId, StringComparison.Ordinal);

    /// <summary>Requires the right to write or delete: a lock of any other user would only block those users.</summary>
    public static void RequireLock(Caller caller, DocumentFile file)
    {
        if (Of(caller, file) is { Write: false, Delete: false })
            throw new DunlinException(ErrorCode.Forbidden, "You have permission to read this file, but not to change it.");
    }

    public static void RequireWrite(Caller caller, DocumentFile file) =>
        Require(
            Of(caller, file).Write,
            file.IsGoldStandard ? "Only reviewers can write a gold standard." : "Only annotators and reviewers can write a version."
        );

    public static void RequireNewVersion(Caller caller, DocumentFile file) =>
        Require(Of(caller, file).NewVersion, "Only annotators and reviewers can write a version.");

    public static void RequirePromote(Caller caller, DocumentFile file) =>
        Require(Of(caller, file).Promote, "Only reviewers can write a gold standard.");

    public static void RequireDelete(Caller caller, DocumentFile file) =>
        Require(Of(caller, file).Delete, "Only the owner, reviewers and administrators can delete a file.");

    public static void RequireImport(Caller caller) => Require(Writes(caller), "Only annotators and reviewers can add a document.");

    /// <summary>Throws if the caller may not write any text.</summary>
    public static void RequireWriter(Caller caller) => Require(Writes(caller), "Only annotators and reviewers can write texts.");

    public static void RequireAdministrator(Caller caller) => Require(caller.IsAdministrator, "Only administrators can do this.");

    private static bool Writes(Caller caller) => caller.Roles.Contains(Annotator) || caller.Roles.Contains(Reviewer);

    private static void Require(bool allowed, string detail)
    {
        if (!allowed)
            throw new DunlinException(ErrorCode.Forbidden, detail);
    }
}
