using Dunlin.Hosting;
using Dunlin.Replicache;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Todos;

/// <summary>Shared lists of tasks and of shopping, for the Replicache client.</summary>
public static class TodosApp
{
    /// <summary>Adds the mutators; there are no tables of its own, all is records.</summary>
    public static DunlinBuilder AddTodos(this DunlinBuilder builder)
    {
        var replicache = builder.AddReplicache();
        ListMutators.Add(replicache);
        EntryMutators.Add(replicache);
        return builder;
    }

    /// <summary>Maps <c>/api/v1/replicache</c>.</summary>
    public static void MapTodos(this IEndpointRouteBuilder endpoints) => endpoints.MapReplicache("/api/v1/replicache");
}
