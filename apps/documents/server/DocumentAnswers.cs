using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Documents;

/// <summary>Answers of this system: JSON in snake_case, as its contract has it, and never kept by a cache.</summary>
internal static class DocumentAnswers
{
    private static readonly JsonSerializerOptions Snake = new(JsonSerializerOptions.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static IResult Json<T>(HttpContext context, T answer, int status = StatusCodes.Status200OK)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(answer, Snake, statusCode: status);
    }
}
