using Dunlin.Diagnostics;
using Dunlin.Hosting;
using Dunlin.Problems;
using Dunlin.Security;
using Dunlin.Topics;
using Dunlin.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the management of webhooks.</summary>
public static class WebhookEndpoints
{
    private const int MaxBody = 64 * 1024;
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Maps the management of webhooks under <c>/dunlin/v1/webhooks</c>. All requests need the role
    /// <see cref="Caller.AdministratorRole"/>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <returns>A builder for conventions that apply to all these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddWebhooks()</c> was not called.</exception>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddTokens().AddWebhooks();
    /// var app = builder.Build();
    /// app.MapDunlin();
    /// app.MapDunlinWebhooks();
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapDunlinWebhooks(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (!endpoints.ServiceProvider.GetRequiredService<IServiceProviderIsService>().IsService(typeof(WebhookStore)))
            throw new InvalidOperationException("Call AddDunlin().AddWebhooks() before app.MapDunlinWebhooks().");
        var group = endpoints
            .MapGroup(DunlinEndpoints.BasePath + "/webhooks")
            .WithTags("Dunlin")
            .WithHead()
            .WithDunlinCaller()
            .AddEndpointFilter(
                static (context, next) =>
                {
                    RequireAdministrator(context.HttpContext);
                    return next(context);
                }
            );
        group.MapGet("", ListAsync).WithSummary("All webhooks");
        group.MapPost("", CreateAsync).WithSummary("Create a webhook; the answer has its secret");
        group.MapGet("{id}", GetAsync).WithSummary("One webhook");
        group.MapPatch("{id}", UpdateAsync).WithSummary("Change a webhook");
        group.MapDelete("{id}", RemoveAsync).WithSummary("Remove a webhook and its deliveries");
        group
            .MapPost("{id}/pause", static (HttpContext context, string id) => ChangeAsync(context, Store(context).PauseAsync(id)))
            .WithSummary("Stop the deliveries");
        group
            .MapPost("{id}/resume", static (HttpContext context, string id) => ChangeAsync(context, Store(context).ResumeAsync(id)))
            .WithSummary("Start the deliveries again");
        group.MapPost("{id}/rotate", RotateAsync).WithSummary("Create a new secret; the former one signs too for a time");
        group
            .MapPost("{id}/test", static (HttpContext context, string id) => Store(context).TestAsync(id, context.RequestAborted))
            .WithSummary("Send a test message");
        group.MapGet("{id}/deliveries", DeliveriesAsync).WithSummary("Waiting or dead deliveries").WithDescription("state, after, limit");
        group.MapPost("{id}/redrive", RedriveAsync).WithSummary("Deliver dead deliveries again");
        return group;
    }

    private static async Task<WebhookList> ListAsync(HttpContext context, CancellationToken cancellationToken) =>
        new(await Store(context).ListAsync(cancellationToken));

    private static async Task<WebhookView> GetAsync(HttpContext context, string id)
    {
        var store = Store(context);
        return await store.ViewAsync(await store.GetAsync(id, context.RequestAborted), context.RequestAborted);
    }

    private static async Task<WebhookView> CreateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync<WebhookBody>(context, MaxBody, cancellationToken);
        var store = Store(context);
        var row = await store.CreateAsync(body, context.RequireCaller().UserId);
        context.Response.StatusCode = StatusCodes.Status201Created;
        return await store.ViewAsync(row, CancellationToken.None, showSecret: true);
    }

    private static async Task<WebhookView> UpdateAsync(HttpContext context, string id)
    {
        var body = await RequestBody.ReadAsync<WebhookChange>(context, MaxBody, context.RequestAborted);
        return await ChangeAsync(context, Store(context).UpdateAsync(id, body));
    }

    private static async Task RemoveAsync(HttpContext context, string id)
    {
        await Store(context).RemoveAsync(id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task<WebhookView> RotateAsync(HttpContext context, string id)
    {
        var store = Store(context);
        return await store.ViewAsync(await store.RotateAsync(id), CancellationToken.None, showSecret: true);
    }

    private static async Task<WebhookDeliveryList> DeliveriesAsync(HttpContext context, string id)
    {
        var query = context.Request.Query;
        var state = (string?)query["state"] switch
        {
            null or "waiting" => WebhookDeliveryState.Waiting,
            "dead" => WebhookDeliveryState.Dead,
            var other => throw WebhookRules.Invalid("state", $"'state' must be 'waiting' or 'dead', not '{Excerpt.Of(other)}'."),
        };
        var limit = (int)Number(query["limit"], "limit", DefaultLimit, 1, MaxLimit);
        var after = Number(query["after"], "after", 0, 0, long.MaxValue);
        var page = await Store(context).ListDeliveriesAsync(id, state, after, limit, context.RequestAborted);
        return new WebhookDeliveryList(
            [
                .. page.Select(static row => new WebhookDeliveryView(
                    row.Facts.MessageId,
                    row.Facts.Topic,
                    row.Facts.Type,
                    row.State.ToString().ToLowerInvariant(),
                    row.Facts.Attempts,
                    row.Facts.Fault,
                    row.At
                )),
            ],
            page.Count == limit ? page[^1].Offset.ToString(System.Globalization.CultureInfo.InvariantCulture) : null
        );
    }

    private static async Task<RedriveAnswer> RedriveAsync(HttpContext context, string id)
    {
        var body = await RequestBody.ReadAsync<RedriveBody>(context, MaxBody, context.RequestAborted);
        return new RedriveAnswer(await Store(context).RedriveAsync(id, body));
    }

    private static async Task<WebhookView> ChangeAsync(HttpContext context, Task<WebhookRow> change) =>
        await Store(context).ViewAsync(await change, CancellationToken.None);

    private static long Number(string? text, string field, long missing, long min, long max) =>
        text is null ? missing
        : long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number
        : throw WebhookRules.Invalid(field, $"'{field}' must be a number from {min} to {max}, not '{Excerpt.Of(text)}'.");

    private static WebhookStore Store(HttpContext context) => context.RequestServices.GetRequiredService<WebhookStore>();

    private static void RequireAdministrator(HttpContext context)
    {
        if (!context.RequireCaller().IsAdministrator)
            throw new DunlinException(ErrorCode.Forbidden, $"You need the role '{Caller.AdministratorRole}' for this request.");
    }
}
