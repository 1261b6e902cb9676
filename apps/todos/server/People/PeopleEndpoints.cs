using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Todos.People;

/// <summary><c>/api/v1/todos/people</c>: users that the caller may invite to a list.</summary>
internal static class PeopleEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapGroup("/api/v1/todos/people")
            .WithTags("Todos")
            .MapGet(
                "",
                async (HttpContext http, PeopleService people, string? username = null) =>
                {
                    var caller = http.RequireCaller();
                    http.Response.Headers.CacheControl = "no-store";
                    return new PeopleAnswer(
                        username is null
                            ? await people.KnownAsync(caller, http.RequestAborted)
                            : await people.FindAsync(caller, username, http.RequestAborted)
                    );
                }
            )
            .WithSummary("The users who share a list with the caller, or the user with exactly this name");

    private sealed record PeopleAnswer(IReadOnlyList<Person> People);
}
