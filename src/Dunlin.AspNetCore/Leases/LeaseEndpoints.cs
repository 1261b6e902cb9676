using System.Globalization;
using Dunlin.Diagnostics;
using Dunlin.Journal;
using Dunlin.Json;
using Dunlin.Limits;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.Leases;

/// <summary>Serves <c>/dunlin/v1/leases</c>. A resource name may contain slashes, so the verb of a POST is the last path segment.</summary>
internal sealed class LeaseEndpoints(LeaseService leases, AccessPolicies policies, UserRates rates)
{
    private const int MaxBody = 4 * 1024;

    private readonly UserRate _rate = new("requests for a lease", leases.Options.RequestsPerSecond, leases.Options.RequestBurst);

    /// <summary>The maximum number of leases on a page of a list.</summary>
    private const int MaxListed = 1_000;

    public async Task<LeaseList> ListAsync(HttpContext context)
    {
        var caller = context.RequireCaller();
        var prefix = (string?)context.Request.Query["prefix"];
        if (!string.IsNullOrEmpty(prefix))
            ResourceName.Parse(prefix.TrimEnd('/'));
        var page = await leases.ListPageAsync(
            new LeaseQuery(prefix, Limit: Limit(context.Request), After: After(context.Request)),
            (lease, ct) => policies.MayHoldAsync(caller, lease.Resource, ct),
            context.RequestAborted
        );
        return new LeaseList(
            [.. page.Leases.Select(lease => LeaseView.Of(lease, page.Now))],
            page.Next,
            page.Position.ToString(),
            page.Now
        );
    }

    public async Task AcquireAsync(HttpContext context, string path)
    {
        var caller = context.RequireCaller();
        var resource = await AllowedAsync(caller, path, context);
        rates.Take(_rate, caller.UserId);
        var body = await RequestBody.ReadAsync<AcquireBody>(context, MaxBody, context.RequestAborted);
        var result = await leases.AcquireAsync(
            new LeaseRequest(
                resource,
                body.LeaseId,
                LeaseRequest.OwnerOf(caller),
                LeaseDuration.FromSeconds(body.Seconds),
                body.Wait ?? false
            ),
            caller.AsOrigin()
        );
        await AnswerAsync(context, result);
    }

    public async Task ActAsync(HttpContext context, string path)
    {
        var caller = context.RequireCaller();
        var slash = path.LastIndexOf('/');
        var (name, verb) = slash > 0 ? (path[..slash], path[(slash + 1)..]) : ("", path);
        if (verb is not ("renew" or "handoff" or "take"))
            throw new DunlinException(ErrorCode.NotFound, $"No lease action '{Excerpt.Of(verb)}'. Use renew, handoff or take.");
        var resource = await AllowedAsync(caller, name, context);
        var result = verb switch
        {
            "renew" => await RenewAsync(context, caller, resource),
            "handoff" => await HandOffAsync(context, caller, resource),
            _ => await PreemptAsync(context, caller, resource),
        };
        await AnswerAsync(context, result, isHandOff: verb == "handoff");
    }

    public async Task ReleaseAsync(HttpContext context, string path)
    {
        var caller = context.RequireCaller();
        var resource = await AllowedAsync(caller, path, context);
        var leaseId = LeaseRequest.CheckId(context.Request.Headers["Dunlin-Lease"]);
        await leases.ReleaseAsync(new LeaseClaim(resource, leaseId, caller.UserId), caller.AsOrigin());
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task<LeaseResult> RenewAsync(HttpContext context, Caller caller, ResourceName resource)
    {
        var body = await RequestBody.ReadAsync<RenewBody>(context, MaxBody, context.RequestAborted);
        return await leases.RenewAsync(
            new LeaseClaim(resource, body.LeaseId, caller.UserId, body.FencingToken),
            LeaseDuration.FromSeconds(body.Seconds),
            caller.AsOrigin()
        );
    }

    private async Task<LeaseResult> HandOffAsync(HttpContext context, Caller caller, ResourceName resource)
    {
        var body = await RequestBody.ReadAsync<HandOffBody>(context, MaxBody, context.RequestAborted);
        return await leases.HandOffAsync(
            new LeaseClaim(resource, body.LeaseId, caller.UserId, body.FencingToken),
            body.To,
            caller.AsOrigin()
        );
    }

    private async Task<LeaseResult> PreemptAsync(HttpContext context, Caller caller, ResourceName resource)
    {
        if (!await policies.MayPreemptAsync(caller, resource, context.RequestAborted))
            throw new DunlinException(ErrorCode.Forbidden, $"You do not have permission to preempt the lease of '{resource}'.");
        rates.Take(_rate, caller.UserId);
        var body = await RequestBody.ReadAsync<PreemptBody>(context, MaxBody, context.RequestAborted);
        var request = new LeaseRequest(resource, body.LeaseId, LeaseRequest.OwnerOf(caller), LeaseDuration.FromSeconds(body.Seconds));
        return await leases.PreemptAsync(request, body.Reason, TimeSpan.FromSeconds(body.GraceSeconds ?? 0), caller.AsOrigin());
    }

    private async ValueTask<ResourceName> AllowedAsync(Caller caller, string path, HttpContext context)
    {
        // Kestrel leaves %2F in a path escaped. Both spellings name the same resource.
        var resource = ResourceName.Parse(path.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase));
        return await policies.MayHoldAsync(caller, resource, context.RequestAborted)
            ? resource
            : throw new DunlinException(ErrorCode.Forbidden, $"You do not have permission to hold the lease of '{resource}'.", "resource");
    }

    private static int Limit(HttpRequest request) =>
        (string?)request.Query["limit"] switch
        {
            null => MaxListed,
            { } text
                when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxListed =>
                limit,
            _ => throw new DunlinException(ErrorCode.InvalidField, $"'limit' must be a number from 1 to {MaxListed}.", "limit"),
        };

    private static string? After(HttpRequest request) =>
        (string?)request.Query["after"] switch
        {
            null => null,
            { } text when ResourceName.TryParse(text, out _) => text,
            _ => throw new DunlinException(ErrorCode.InvalidField, "'after' must be the 'next' of an earlier page.", "after"),
        };

    private static Task AnswerAsync(HttpContext context, LeaseResult result, bool isHandOff = false)
    {
        // A successful hand-off also returns Held, because another holder has the lease now.
        if (result.Status == LeaseStatus.Held && !isHandOff)
            throw LeaseErrors.Held(result.Lease);
        context.Response.StatusCode = result.Status switch
        {
            LeaseStatus.Granted => StatusCodes.Status201Created,
            LeaseStatus.Queued => StatusCodes.Status202Accepted,
            _ => StatusCodes.Status200OK,
        };
        return context.Response.WriteAsJsonAsync(
            LeaseView.Of(result),
            JsonContracts.Of<LeaseView>(context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions)
        );
    }
}
