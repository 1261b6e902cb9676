using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Records;

namespace Dunlin.Jobs;

/// <summary>The record spaces of jobs. No user is granted access to them, and no policy allows their topics.</summary>
internal static class JobSpaces
{
    public const string Root = "jobs";

    public static SpaceName Of(string type) => SpaceName.Of(Root, type);

    public static JobInfo Read(RecordRow row) =>
        JsonSerializer.Deserialize(row.Value.Span, JobJson.Default.JobInfo)! with
        {
            Version = row.Version,
        };

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the type is not valid.</exception>
    public static string CheckType(string type) =>
        type.Length is >= 1 and <= 60 && type.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? type
            : throw new DunlinException(ErrorCode.InvalidField, "A job type must have 1 to 60 letters, digits and '.-_'.", "type");
}
