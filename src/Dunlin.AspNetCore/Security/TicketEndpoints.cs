using Dunlin.Hosting;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IEndpointRouteBuilder"/> with the ticket endpoint.</summary>
public static class TicketEndpoints
{
    /// <summary>Maps <c>POST ticket</c> below <paramref name="prefix"/>, for servers without accounts whose tokens come from other
    /// issuers.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="prefix">The path prefix. Default: <c>/api/v1/auth</c>.</param>
    /// <returns>A builder for conventions of the endpoint.</returns>
    /// <exception cref="InvalidOperationException"><c>AddTokens()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapDunlinTickets(this IEndpointRouteBuilder endpoints, string prefix = "/api/v1/auth")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<Tickets>() is null)
            throw new InvalidOperationException("Call builder.Services.AddDunlin().AddTokens() before app.MapDunlinTickets().");
        var group = endpoints.MapGroup(prefix).WithTags("Signing in").WithDunlinProblems().WithHead().WithDunlinCaller();
        MapTicket(group);
        return group;
    }

    /// <summary>Maps <c>POST ticket</c> in a group that writes problem documents.</summary>
    internal static void MapTicket(RouteGroupBuilder group) =>
        group
            .MapPost("ticket", (Delegate)TicketAsync)
            .Produces<TicketAnswer>()
            .WithSummary("A single-use ticket for a stream that cannot send headers.");

    private static async Task<IResult> TicketAsync(HttpContext context)
    {
        var ticket = await context
            .RequestServices.GetRequiredService<Tickets>()
            .IssueAsync(context.RequireCaller(), context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        // Uses the member names of the contract instead of the naming policy of the application.
        return TypedResults.Json(new TicketAnswer(ticket, (int)Tickets.Lifetime.TotalSeconds), HttpJson.Default.TicketAnswer);
    }

    internal sealed record TicketAnswer(string Ticket, int ExpiresIn);
}
