using System.Text.Json.Serialization;
using Dunlin.Access;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Streams;

/// <summary>Serves the endpoints for administrators: list the streams of a user, and revoke credentials, which ends their
/// streams.</summary>
internal sealed class UserEndpoints(StatsEndpoint stats)
{
    private const int MaxBody = 4 * 1024;

    public async Task<UserConnections> ListAsync(HttpContext context)
    {
        RequireAdministrator(context);
        if (context.Request.Query["user"] is not [{ Length: > 0 } userId])
            throw new DunlinException(ErrorCode.InvalidField, "The query has no 'user'. Name the user id.", "user");
        var (connections, _, silent) = await stats.CountAsync(userId, context.RequestAborted);
        return new UserConnections(userId, connections, silent);
    }

    public async Task<RevocationAnswer> RevokeAsync(HttpContext context)
    {
        RequireAdministrator(context);
        var body = await RequestBody.ReadAsync<RevocationBody>(context, MaxBody, context.RequestAborted);
        if (body.Reason is { Length: > 100 } || body.Reason?.Any(char.IsControl) == true)
            throw new DunlinException(
                ErrorCode.InvalidField,
                "'reason' must have at most 100 characters, without control characters.",
                "reason"
            );
        var request = new RevocationRequest
        {
            SessionId = body.SessionId,
            Before = body.Before,
            ForceRefresh = body.Renew ?? false,
            Reason = body.Reason ?? "revoked",
        };
        // The token of the request is not passed on: a started revocation must complete even if the caller disconnects.
        var before = await context
            .RequestServices.GetRequiredService<Revocations>()
            .RevokeAsync(body.UserId, request, CancellationToken.None);
        return new RevocationAnswer(body.UserId, body.SessionId, before);
    }

    private static void RequireAdministrator(HttpContext context)
    {
        if (!context.RequireCaller().IsAdministrator)
            throw new DunlinException(ErrorCode.Forbidden, $"You need the role '{Caller.AdministratorRole}' for this request.");
    }
}

internal sealed record UserConnections(
    string UserId,
    IReadOnlyList<ConnectionView> Connections,
    [property: JsonPropertyName("silentNodes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int UnresponsiveNodes
);

internal sealed record RevocationBody(
    string UserId,
    string? SessionId = null,
    DateTimeOffset? Before = null,
    bool? Renew = null,
    string? Reason = null
);

internal sealed record RevocationAnswer(string UserId, string? SessionId, DateTimeOffset Before);
