using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dunlin.Replicache.Pull;

/// <summary>
/// <c>POST pull</c>: what has changed for the user since the cookie, and the last mutations of the group, from one snapshot.
/// <para>A cookie that cannot be continued from (another history of the journal, another user, away for longer than deletions
/// are remembered) is answered with <c>clear</c>, everything, and a higher order. So pull never says ClientStateNotFound: a
/// client that has begun anew after one comes with its old cookie, and would be sent round in circles.</para>
/// </summary>
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
        await store.ReadAsync(
            async (scope, ct) =>
            {
                await CollectAsync(answer, scope, caller.UserId, groupId, cookie, isAhead, ct);
                return true;
            },
            context.RequestAborted
        );
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

    private async ValueTask CollectAsync(
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
        await groups.RequireOwnAsync(groupId, userId, cancellationToken);
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
        // The order grows as the position does, from wherever the client's is: after a reset that may be further on.
        var order =
            cookie is null ? through
            : canContinue ? cookie.Order + (through - after)
            : Math.Max(cookie.Order + 1, through);
        answer.Cookie = new PullCookie(order, scope.Position with { Offset = through }, digest);
        instruments.Pulled(reader.RowsRead + answer.LastMutations.Count, time.GetElapsedTime(began));
    }

    /// <summary>Whether a position lies after everything there is: the file is an older copy. A commit becomes visible a moment
    /// before the head tells of it, so a unit of work is let by before a cookie is judged so; and it may be another node's, so
    /// the store is asked.</summary>
    private async ValueTask<bool> IsAheadAsync(Position at)
    {
        if (at.Epoch != journal.Head.Epoch || at.Offset <= journal.Head.Offset)
            return false;
        await store.WriteAsync(static (_, _) => ValueTask.CompletedTask, CancellationToken.None);
        return at.Offset > (await journal.ReadHeadAsync(CancellationToken.None)).Offset;
    }
}
