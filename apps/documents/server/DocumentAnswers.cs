using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Documents;

/// <summary>Writes answers in the format of the contract: JSON in snake_case, never cached.</summary>
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
