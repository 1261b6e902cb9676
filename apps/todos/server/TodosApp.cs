using Dunlin.Apps.Todos.Entries;
using Dunlin.Apps.Todos.Invitations;
using Dunlin.Apps.Todos.Lists;
using Dunlin.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Apps.Todos;

/// <summary>Shared lists of tasks and of shopping, for the Replicache client.</summary>
public static class TodosApp
{
    /// <summary>What the page says its records and mutators are. Change both when an old page must not go on.</summary>
    public const string SchemaVersion = "1";

    /// <summary>Adds the mutators; there are no tables of its own, all is records.</summary>
    public static DunlinBuilder AddTodos(this DunlinBuilder builder)
    {
        var replicache = builder.AddReplicache(options => options.SchemaVersions.Add(SchemaVersion));
        ListMutators.Add(replicache);
        InvitationMutators.Add(replicache);
        EntryMutators.Add(replicache);
        return builder;
    }

    /// <summary>Maps <c>/api/v1/replicache</c>.</summary>
    public static void MapTodos(this IEndpointRouteBuilder endpoints) => endpoints.MapReplicache("/api/v1/replicache");
}
