using Dunlin.Apps.Warranty.Cases;
using Dunlin.Apps.Warranty.Locks;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Security;
using Dunlin.Streams;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Apps.Warranty;

/// <summary>
/// <c>GET /api/sse/warranty-updates?branchId=N</c>: unnamed frames <c>{"type","data"}</c>. Every connection starts with a snapshot of the
/// locks; changes follow. With <c>presence=true</c> the caller is listed as present in the branch.
/// </summary>
internal sealed class WarrantyStream(EventStreams streams, LeaseService leases, IStore store)
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(30);

    public async Task ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var branchId = BranchId(context.Request);
        await store.ReadAsync(
            async (scope, _) =>
                await CaseRows.BranchAsync(scope.Connection, null, branchId)
                ?? throw new DunlinException(ErrorCode.NotFound, $"No branch with id {branchId}.", "branchId"),
            context.RequestAborted
        );
        await streams.ServeAsync(
            context,
            new StreamRequest([WarrantyNames.Topic(branchId)])
            {
                Format = WireFormats.Typed,
                IsPresent = string.Equals(context.Request.Query["presence"], "true", StringComparison.Ordinal),
                Heartbeat = HeartbeatInterval,
                HeartbeatFrame = static now => Frame("heartbeat", new { timestamp = now }),
                OnOpen = async (opening, ct) =>
                {
                    opening.WriteWithPosition(frame =>
                        frame.Json(
                            new
                            {
                                type = "connection-established",
                                data = new
                                {
                                    connectionId = opening.Connection.Id,
                                    branchId,
                                    position = opening.Position.ToString(),
                                    userId = caller.UserId,
                                    userName = caller.Name,
                                },
                            }
                        )
                    );
                    var locks = await leases.ListAsync(new LeaseQuery(Prefix: WarrantyNames.LocksOf(branchId)), ct);
                    opening.Write(frame => frame.Json(new { type = "locks", data = locks.Leases.Select(LockView.Of).OfType<LockView>() }));
                },
            }
        );
    }

    private static long BranchId(HttpRequest request) =>
        long.TryParse(
            request.Query["branchId"],
            System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture,
            out var id
        )
            ? id
            : throw new DunlinException(ErrorCode.InvalidField, "'branchId' must be the number of a branch.", "branchId");

    private static ReadOnlyMemory<byte> Frame<T>(string type, T data) => FrameWriter.Encode(null, frame => frame.Json(new { type, data }));
}
