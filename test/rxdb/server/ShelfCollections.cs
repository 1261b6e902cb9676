using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Leases;
using Dunlin.Records;
using Dunlin.Topics;

namespace Dunlin.RxDb.TestHost;

/// <summary>Shelves and the things on them. A shelf is a space; its owner shares it, and every reader may change things.</summary>
public static class ShelfCollections
{
    /// <summary>Called during the decision about a thing whose text is "slow".</summary>
    public static Func<CancellationToken, ValueTask> Slow { get; set; } = static _ => default;

    public static SpaceName Space(string shelf) => SpaceName.Of("shelf", shelf);

    public static RxCollection Shelves { get; } =
        new("shelves")
        {
            Schema = 0,
            KeyPrefix = "shelf/",
            ClientFields = ["name"],
            Tombstone = new JsonObject { ["name"] = "" },
            Decide = DecideShelfAsync,
        };

    public static RxCollection Things { get; } =
        new("things")
        {
            Schema = 2,
            OldestSchema = 1,
            KeyPrefix = "thing/",
            ClientFields = ["shelf", "text", "count", "own"],
            Tombstone = new JsonObject { ["shelf"] = "", ["text"] = "" },
            Normalize = static fields =>
            {
                if (fields["text"] is JsonValue value && value.TryGetValue<string>(out var text))
                    fields["text"] = text.Trim();
            },
            Lease = static write => ResourceName.Of("things", write.Id),
            Hint = static document => new JsonObject { ["shelf"] = (string?)document["shelf"] },
            Decide = DecideThingAsync,
        };

    private static async ValueTask<RxDecision> DecideShelfAsync(RxWrite write, CancellationToken cancellationToken)
    {
        if (write.Change == RxChange.Insert)
        {
            write.Document["owner"] = write.Caller.UserId;
            await write.Records.GrantAsync(Space(write.Id), write.Caller.UserId, cancellationToken);
            return RxDecision.Insert(Space(write.Id));
        }
        if (write.Change == RxChange.Restore || (string?)write.Master!["owner"] != write.Caller.UserId)
            return RxDecision.Refuse(ErrorCode.Forbidden, "Only its owner changes a shelf.");
        if (write.Change == RxChange.Delete)
        {
            foreach (var row in await write.Records.ListAsync(Space(write.Id), Things.KeyPrefix, cancellationToken))
                await write.Records.DeleteAsync(Space(write.Id), row.Key, cancellationToken);
        }
        return RxDecision.Write;
    }

    private static async ValueTask<RxDecision> DecideThingAsync(RxWrite write, CancellationToken cancellationToken)
    {
        if (write.Change == RxChange.Delete)
            return RxDecision.Write;
        var shelf =
            (string?)write.Document["shelf"] ?? throw new DunlinException(ErrorCode.InvalidField, "A thing lies on a shelf.", "shelf");
        var text = (string?)write.Document["text"];
        switch (text)
        {
            case "poison":
                await write.Records.PutAsync(Space(shelf), "half/done", 1, cancellationToken: cancellationToken);
                throw new FormatException("meant to fail");
            case "forbidden":
                return RxDecision.Refuse(ErrorCode.Forbidden, "It may not be called so.");
            case "slow":
                await Slow(cancellationToken);
                break;
            default:
                if (string.IsNullOrEmpty(text) || text.Length > 200)
                    throw new DunlinException(ErrorCode.InvalidField, "'text' has 1 to 200 characters.", "text");
                break;
        }
        if (write.Space is { } home && home != Space(shelf))
            return RxDecision.Refuse(ErrorCode.Conflict, "A thing stays on its shelf.");
        write.Document["rev"] = ((int?)write.Master?["rev"] ?? 0) + 1;
        write.Document["by"] = write.Caller.UserId;
        var own = (bool?)write.Document["own"] == true;
        return write.Change == RxChange.Insert ? RxDecision.Insert(Space(shelf), own ? write.Caller.UserId : null) : RxDecision.Write;
    }
}
