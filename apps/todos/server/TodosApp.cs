using Dunlin.Apps.Todos.Entries;
using Dunlin.Apps.Todos.Invitations;
using Dunlin.Apps.Todos.Lists;
using Dunlin.Apps.Todos.People;
using Dunlin.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Todos;

/// <summary>Registers shared task and shopping lists for the Replicache client.</summary>
public static class TodosApp
{
    /// <summary>
    /// The version of records and mutators that the page must name. Optional fields and arguments keep it. Increase it here and in the page
    /// to shut out older pages.
    /// </summary>
    public const string SchemaVersion = "1";

    /// <summary>Adds the mutators and services. The system has no tables; all data is records.</summary>
    public static DunlinBuilder AddTodos(this DunlinBuilder builder)
    {
        var replicache = builder.AddReplicache(options => options.SchemaVersions.Add(SchemaVersion));
        ListMutators.Add(replicache);
        InvitationMutators.Add(replicache);
        EntryMutators.Add(replicache);
        builder.Services.AddSingleton<PeopleService>();
        return builder;
    }

    /// <summary>Maps <c>/api/v1/replicache</c> and <c>/api/v1/todos/people</c>.</summary>
    public static void MapTodos(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapReplicache("/api/v1/replicache");
        PeopleEndpoints.Map(endpoints);
    }
}
