using Dunlin.Access;
using Dunlin.Diagnostics;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Users;

/// <summary>Serves <c>POST api/revoke {userId, sessionId?, renew?}</c>: signs a user or one session out, or makes clients renew their
/// rights.</summary>
internal static class RevokeEndpoint
{
    public static async Task ServeAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var body = await InspectorBody.ReadAsync(context, InspectorJson.Default.RevokeBody);
        var revocations =
            context.RequestServices.GetService<Revocations>()
            ?? throw new DunlinException(
                ErrorCode.Conflict,
                "This server keeps no revocations. Call AddRevocations() in its start-up code."
            );
        if (body.UserId == caller.UserId && body.SessionId is null && !body.Renew)
            throw new DunlinException(
                ErrorCode.Conflict,
                "This would end your own access too. Name a session, or let another administrator do it.",
                "userId"
            );
        var request = new RevocationRequest
        {
            SessionId = body.SessionId,
            ForceRefresh = body.Renew,
            Reason = $"inspector, by {caller.UserId}",
        };
        // A started revocation must complete even if the administrator closes the page.
        var before = await revocations.RevokeAsync(body.UserId, request, CancellationToken.None);
        await context.Response.WriteAsJsonAsync(
            new RevokeAnswer(body.UserId, body.SessionId, before),
            InspectorJson.Default.RevokeAnswer,
            cancellationToken: context.RequestAborted
        );
    }
}

internal sealed record RevokeBody(string UserId, string? SessionId = null, bool Renew = false);

internal sealed record RevokeAnswer(string UserId, string? SessionId, DateTimeOffset Before);
