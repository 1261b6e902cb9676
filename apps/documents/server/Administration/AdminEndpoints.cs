using System.Text.Json.Serialization;
using Dunlin.Apps.Documents.Collections;
using Dunlin.Apps.Documents.Files;
using Dunlin.Cluster;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Identity;
using Dunlin.Journal;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Apps.Documents.Administration;

/// <summary>The endpoints for administrators: sessions, notifications, maintenance, and members of collections.</summary>
internal sealed class AdminEndpoints : IHostedService
{
    private const string OpenPages = "documents.pages";
    private const int MaxBody = 4 * 1024;
    private const int MaxMessage = 500;
    private const string EndedMessage = "You have been signed out by an administrator";

    private static readonly string[] Variants = ["primary", "success", "neutral", "warning", "danger"];

    private readonly IStore _store;
    private readonly ISessions _sessions;
    private readonly IAccounts _accounts;
    private readonly EventFanout _fanout;
    private readonly ClusterQuery _questions;

    public AdminEndpoints(IStore store, ISessions sessions, IAccounts accounts, EventFanout fanout, ClusterQuery questions)
    {
        (_store, _sessions, _accounts, _fanout, _questions) = (store, sessions, accounts, fanout, questions);
    }

    /// <summary>Starts answering queries of other nodes.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _questions.Answer<string, Dictionary<string, int>>(OpenPages, _ => ConnectionsHere());
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public static void Map(RouteGroupBuilder group)
    {
        var admin = group.MapGroup("admin");
        admin.MapGet("sessions", (HttpContext http, AdminEndpoints endpoints) => endpoints.SessionsAsync(http));
        admin.MapDelete(
            "sessions/{sessionId}",
            (HttpContext http, string sessionId, AdminEndpoints endpoints) => endpoints.EndSessionAsync(http, sessionId)
        );
        admin.MapPost("notifications", (HttpContext http, AdminEndpoints endpoints) => endpoints.NotifyAsync(http));
        admin.MapPut("maintenance", (HttpContext http, AdminEndpoints endpoints) => endpoints.SetMaintenanceAsync(http));
        admin.MapPut(
            "collections/{id}/members/{userId}",
            (HttpContext http, string id, string userId, AdminEndpoints endpoints) =>
                endpoints.SetMemberAsync(http, id, userId, isMember: true)
        );
        admin.MapDelete(
            "collections/{id}/members/{userId}",
            (HttpContext http, string id, string userId, AdminEndpoints endpoints) =>
                endpoints.SetMemberAsync(http, id, userId, isMember: false)
        );
    }

    private async Task<IResult> SessionsAsync(HttpContext http)
    {
        var caller = Administrator(http);
        var users = (await _accounts.ListAsync(http.RequestAborted)).ToDictionary(a => a.UserId, StringComparer.Ordinal);
        var others = await _questions.AskAsync<string, Dictionary<string, int>>(OpenPages, "", cancellationToken: http.RequestAborted);
        var connections = others
            .Value.Append(ConnectionsHere())
            .SelectMany(counts => counts)
            .AggregateBy(count => count.Key, 0, static (sum, count) => sum + count.Value)
            .ToDictionary(StringComparer.Ordinal);
        var views = (await _sessions.ListAsync(http.RequestAborted)).Select(s => new SessionView(
            s.SessionId,
            s.UserId,
            users.GetValueOrDefault(s.UserId)?.Username ?? s.UserId,
            users.GetValueOrDefault(s.UserId)?.FullName ?? s.UserId,
            s.CreatedAt,
            s.ExpiresAt,
            s.Description,
            connections.GetValueOrDefault(s.SessionId),
            s.SessionId == caller.SessionId
        ));
        return DocumentAnswers.Json(http, new SessionList([.. views], others.UnresponsiveNodes));
    }

    private Dictionary<string, int> ConnectionsHere() =>
        _fanout.All().Where(c => c.Caller.SessionId is not null).CountBy(c => c.Caller.SessionId!).ToDictionary(StringComparer.Ordinal);

    private async Task<IResult> EndSessionAsync(HttpContext http, string sessionId)
    {
        Administrator(http);
        var lastFrame = FrameWriter.Encode(
            null,
            static frame =>
            {
                frame.Name(DocumentEvents.ForceLogout);
                frame.Json(new { message = EndedMessage });
            }
        );
        if (!await _sessions.EndAsync(sessionId, "ended_by_administrator", lastFrame, http.RequestAborted))
            throw new DunlinException(ErrorCode.NotFound, "No open session with this id.");
        return Results.NoContent();
    }

    private async Task<IResult> NotifyAsync(HttpContext http)
    {
        var caller = Administrator(http);
        var body = await RequestBody.ReadAsync<NotificationBody>(http, MaxBody, http.RequestAborted);
        var message = FileEndpoints.Text(body.Message, "message", 1, MaxMessage);
        var variant = body.Variant ?? Variants[0];
        if (!Variants.Contains(variant, StringComparer.Ordinal))
            throw new DunlinException(ErrorCode.InvalidField, $"'variant' must be {string.Join(" or ", Variants)}.", "variant");
        await _store.WriteAsync(
            async (unit, ct) =>
            {
                await unit.AppendAsync(DocumentEvents.Notify(message, variant, caller.AsOrigin()), ct);
            },
            http.RequestAborted
        );
        return Results.NoContent();
    }

    private async Task<IResult> SetMaintenanceAsync(HttpContext http)
    {
        Administrator(http);
        var body = await RequestBody.ReadAsync<MaintenanceBody>(http, MaxBody, http.RequestAborted);
        var state = new MaintenanceState(body.On, FileEndpoints.Text(body.Message ?? "", "message", 0, MaxMessage));
        await _store.WriteAsync((unit, ct) => Maintenance.SetAsync(unit, state, ct), http.RequestAborted);
        return DocumentAnswers.Json(http, state);
    }

    private async Task<IResult> SetMemberAsync(HttpContext http, string collectionId, string userId, bool isMember)
    {
        var caller = Administrator(http);
        if (isMember && await _accounts.FindAsync(userId, http.RequestAborted) is null)
            throw new DunlinException(ErrorCode.NotFound, "No user with this id.", "userId");
        await _store.WriteAsync(
            async (unit, ct) =>
            {
                if (!await CollectionRows.MaySeeAsync(unit.Connection, unit.Transaction, caller, collectionId))
                    throw DocumentErrors.NoCollection(collectionId);
                if (!await CollectionRows.SetMemberAsync(unit, collectionId, userId, isMember))
                    return;
                await unit.AppendAsync(DocumentEvents.CollectionsChanged(userId, caller.AsOrigin()), ct);
                // Announce in the transaction of the change. Otherwise a node that dies after the commit would leave the user's streams on
                // other nodes open.
                await unit.RightsChangedAsync(userId, ct);
            },
            http.RequestAborted
        );
        return Results.NoContent();
    }

    private static Caller Administrator(HttpContext http)
    {
        var caller = http.RequireCaller();
        DocumentRights.RequireAdministrator(caller);
        return caller;
    }

    private sealed record SessionView(
        string SessionId,
        string UserId,
        string Username,
        string FullName,
        DateTimeOffset CreatedAt,
        DateTimeOffset ExpiresAt,
        string Description,
        int Connections,
        bool IsMine
    );

    /// <param name="Sessions">All sessions, with the number of their open pages on all nodes.</param>
    /// <param name="UnresponsiveNodes">Number of nodes that did not answer, whose pages are not counted. Omitted when all answered.</param>
    private sealed record SessionList(
        IReadOnlyList<SessionView> Sessions,
        [property: JsonPropertyName("silent_nodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
    );

    private sealed record NotificationBody(
        [property: JsonPropertyName("message")] string Message,
        [property: JsonPropertyName("variant")] string? Variant = null
    );

    private sealed record MaintenanceBody(
        [property: JsonPropertyName("on")] bool On,
        [property: JsonPropertyName("message")] string? Message = null
    );
}
