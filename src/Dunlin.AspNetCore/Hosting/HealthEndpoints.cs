using Dunlin.Fanout;
using Dunlin.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Hosting;

/// <summary><c>/healthz/live</c>: the process answers. <c>/healthz/ready</c>: it takes requests; not while the store is at
/// fault or the node drains.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/healthz/live", () => Results.Text("live")).ExcludeFromDescription().WithHead();
        endpoints
            .MapGet(
                "/healthz/ready",
                (IStoreHealth store, EventFanout fanout) =>
                    (store.Fault, fanout.IsDraining) switch
                    {
                        ({ } fault, _) => Results.Text(
                            "store at fault: " + fault.GetType().Name,
                            statusCode: StatusCodes.Status503ServiceUnavailable
                        ),
                        (_, true) => Results.Text("draining", statusCode: StatusCodes.Status503ServiceUnavailable),
                        _ => Results.Text("ready"),
                    }
            )
            .ExcludeFromDescription()
            .WithHead();
    }
}
