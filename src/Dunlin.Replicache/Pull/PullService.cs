using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Replicache.Pull;

/// <summary>Serves <c>POST pull</c>: returns the changes for the user since the cookie, and the last mutations of the group, from one
/// snapshot. Thread-safe.</summary>
/// <remarks>
/// Some cookies cannot be continued: they belong to another epoch or user, or retention has removed deletions since. The response then
/// contains <c>clear</c>, all records and a higher order. Only a removed group gets ClientStateNotFound: a client that starts again has a
/// new group, but may send its old cookie again, and would loop if the cookie were the reason.
/// </remarks>
internal sealed class PullService(
    IStore store,
    IJournal journal,
    ReplicacheInstruments instruments,
    IOptions<ReplicacheOptions> options,
    TimeProvider time
)
{
    private const int MaxBodyBytes = 64 * 1024;

    public async Task ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var (body, _) = await WireReader.ReadAsync(context, MaxBodyBytes);
        if (await RefuseVersionAsync(context, body))
            return;
        var groupId = WireReader.Id(body, "clientGroupID", "clientGroupID");
        var cookie = PullCookie.Read(body);
        var isAhead = cookie?.At is { } at && await IsAheadAsync(at);
        using var answer = new PullAnswer();
        var state = await store.ReadAsync(
            (scope, ct) => CollectAsync(answer, scope, caller.UserId, groupId, cookie, isAhead, ct),
            context.RequestAborted
        );
        if (state == GroupState.Removed)
        {
            await ClientErrors.ClientStateNotFound.ExecuteAsync(context);
            return;
        }
        if (state == GroupState.Unseen)
            await SeeAsync(groupId);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        await answer.WriteAsync(context.Response.BodyWriter, context.RequestAborted);
    }

    private async ValueTask<bool> RefuseVersionAsync(HttpContext context, System.Text.Json.JsonElement body)
    {
        var refused = WireReader.Version(body, "pullVersion") != 1 ? "pull" : null;
        var schema = WireReader.Text(body, "schemaVersion", "schemaVersion", 1_000);
        if (refused is null && options.Value.SchemaVersions.Count > 0 && !options.Value.SchemaVersions.Contains(schema))
            refused = "schema";
        if (refused is null)
            return false;
        await ClientErrors.VersionNotSupported(refused).ExecuteAsync(context);
        return true;
    }

    /// <summary>Stores that the group was seen. The pull is right without it, so it does not fail while the store accepts no
    /// writes.</summary>
    private async ValueTask SeeAsync(string groupId)
    {
        try
        {
            await store.WriteAsync(
                (unit, ct) => new ClientGroups(unit.RecordTables().Records).SeeAsync(groupId, unit.Now, ct),
                CancellationToken.None
            );
        }
        catch (DunlinException exception) when (exception.Code.Status >= 500)
        {
            // The next pull tries again.
        }
    }

    private async ValueTask<GroupState> CollectAsync(
        PullAnswer answer,
        IReadScope scope,
        string userId,
        string groupId,
        PullCookie? cookie,
        bool isAhead,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        var groups = new ClientGroups(scope.RecordTables().Records);
        var state = await groups.RequireOwnAsync(groupId, userId, scope.Now, cancellationToken);
        if (state == GroupState.Removed)
            return state;
        var reader = scope.Records(userId);
        var digest = PullCookie.Digest(userId);
        var canContinue =
            cookie?.At is { } at
            && !isAhead
            && at.Epoch == scope.Position.Epoch
            && cookie.Of == digest
            && await reader.CanContinueAsync(at.Offset, cancellationToken);
        var after = canContinue ? cookie!.At!.Value.Offset : 0;

        var through = await reader.ReadAllAsync(after, answer.Add, cancellationToken);
        answer.LastMutations = await groups.ChangesAsync(groupId, after, cancellationToken);
        foreach (var change in answer.LastMutations)
            through = Math.Max(through, change.Version);
        answer.Clears = cookie is not null && !canContinue;
        // The order grows by as much as the position, starting from the client's order, which may be higher after a reset.
        var order =
            cookie is null ? through
            : canContinue ? cookie.Order + (through - after)
            : Math.Max(cookie.Order + 1, through);
        answer.Cookie = new PullCookie(order, scope.Position with { Offset = through }, digest);
        instruments.Pulled(reader.RowsRead + answer.LastMutations.Count, time.GetElapsedTime(began));
        return state;
    }

    /// <summary>Returns whether a position is beyond the head, because the database was restored from an older copy. A commit becomes
    /// visible shortly before the head is raised, so an empty unit of work runs first. The position may come from another node, so the
    /// store reads the head from the database.</summary>
    private async ValueTask<bool> IsAheadAsync(Position at)
    {
        if (at.Epoch != journal.Head.Epoch || at.Offset <= journal.Head.Offset)
            return false;
        await store.WriteAsync(static (_, _) => ValueTask.CompletedTask, CancellationToken.None);
        return at.Offset > (await journal.ReadHeadAsync(CancellationToken.None)).Offset;
    }
}
