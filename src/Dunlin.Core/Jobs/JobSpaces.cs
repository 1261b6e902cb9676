using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Records;

namespace Dunlin.Jobs;

/// <summary>Where jobs lie. Nobody is ever granted these spaces, and no policy opens their topics.</summary>
internal static class JobSpaces
{
    public const string Root = "jobs";

    public static SpaceName Of(string type) => SpaceName.Of(Root, type);

    public static JobInfo Read(RecordRow row) =>
        JsonSerializer.Deserialize<JobInfo>(row.Value.Span, JsonSerializerOptions.Web)! with
        {
            Version = row.Version,
        };

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>.</exception>
    public static string CheckType(string type) =>
        type.Length is >= 1 and <= 60 && type.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? type
            : throw new DunlinException(ErrorCode.InvalidField, "The type of a job has 1 to 60 letters, digits and '.-_'.", "type");
}
