using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Diagnostics;
using Dunlin.Json;

namespace Dunlin.Replicache;

/// <summary>Reads typed arguments from JSON with strict options, and validates their data annotations.</summary>
internal static class ArgsReader
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the arguments are invalid. Names the member if it is
    /// known.</exception>
    public static T Read<T>(JsonElement json)
        where T : notnull
    {
        if (json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            throw new DunlinException(ErrorCode.InvalidField, "'args' is missing.", "args");
        var args = JsonBinding.Read<T>(json, Strict);
        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(args, new ValidationContext(args), faults, validateAllProperties: true))
            throw new DunlinException(ErrorCode.InvalidField, faults[0].ErrorMessage, faults[0].MemberNames.FirstOrDefault() ?? "args");
        return args;
    }
}
