using System.ComponentModel.DataAnnotations;
using Dunlin.Security;
using Dunlin.Topics;

namespace DunlinApp.Tasks;

internal static class TaskEndpoints
{
    public static void MapTasks(this IEndpointRouteBuilder endpoints)
    {
        var tasks = endpoints.MapGroup("/api/tasks");
        tasks.MapGet(
            "",
            (HttpContext http, TaskService service, CancellationToken cancellationToken) =>
            {
                http.RequireCaller();
                return service.ListAsync(cancellationToken);
            }
        );
        tasks.MapPost(
            "",
            (HttpContext http, NewTask task, TaskService service, CancellationToken cancellationToken) =>
                service.AddAsync(task.Title, http.RequireCaller(), cancellationToken)
        );
        tasks.MapPut(
            "/{id:long}",
            (HttpContext http, long id, TaskState state, TaskService service, CancellationToken cancellationToken) =>
                service.SetDoneAsync(id, state.Done, http.RequireCaller(), cancellationToken)
        );
    }
}

public sealed record NewTask([Required, StringLength(200, MinimumLength = 1)] string Title);

internal sealed record TaskState(bool Done);

/// <summary>Decides who may read the topics below "tasks": every user who is signed in.</summary>
internal sealed class TaskAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
}
