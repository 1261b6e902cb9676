// The C# of docs/guides/replicate-with-rxdb.md. The test beside it compares the two, region by region; here it is compiled, and runs.
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Records;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.RxDb.Tests.Guide;

internal static class ShelvesApp
{
    #region declare
    public static DunlinBuilder AddShelves(this DunlinBuilder dunlin)
    {
        dunlin
            .AddRxDb()
            .AddCollection(
                new RxCollection("things")
                {
                    Schema = 0, // the version in the schema of the page
                    KeyPrefix = "thing/", // the record's key: thing/{id}
                    ClientFields = ["shelf", "text", "count"], // all others are the server's
                    Tombstone = new JsonObject { ["shelf"] = "", ["text"] = "" }, // what the schema requires, of a deleted one too
                    Normalize = static fields => fields["text"] = ((string?)fields["text"])?.Trim(),
                    Hint = static thing => new JsonObject { ["shelf"] = (string?)thing["shelf"] },
                    Decide = DecideAsync,
                }
            );
        return dunlin;
    }

    public static void MapShelves(this IEndpointRouteBuilder app)
    {
        app.MapRxDb("/api/v1/sync"); // GET pull/{collection}, POST push/{collection}
        app.MapRxDbHints("/api/v1/events"); // GET stream, GET status
    }

    private static ValueTask<RxDecision> DecideAsync(RxWrite write, CancellationToken cancellationToken)
    {
        if (write.Change == RxChange.Delete)
            return new(RxDecision.Write);
        var thing = write.As<Thing>(); // does not fit: refused
        if (thing.Text.Length is 0 or > 200)
            return new(RxDecision.Refuse(ErrorCode.InvalidField));
        write.Document["by"] = write.Caller.UserId;
        return new(write.Change == RxChange.Insert ? RxDecision.Insert(SpaceName.Of("shelf", thing.Shelf)) : RxDecision.Write);
    }

    public sealed record Thing(string Id, string Shelf, string Text);
    #endregion
}

#region announce
internal sealed class ThingService(IStore store, RxDocuments documents)
{
    public ValueTask AddAsync(ShelvesApp.Thing thing) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                var records = unit.Records();
                await records.PutAsync(
                    SpaceName.Of("shelf", thing.Shelf),
                    documents.KeyOf("things", thing.Id),
                    thing,
                    cancellationToken: ct
                );
                await documents.AnnounceAsync(unit, records, cancellationToken: ct);
            }
        );
}
#endregion
