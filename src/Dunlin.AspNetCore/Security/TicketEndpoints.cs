using System.Text.Json;
using Dunlin.Hosting;
using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>The call for a ticket.</summary>
public static class TicketEndpoints
{
    /// <summary>
    /// Maps <c>POST ticket</c> alone below <paramref name="prefix"/>, where no accounts are kept here and tokens come from elsewhere.
    /// </summary>
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

    /// <summary>Maps <c>POST ticket</c> into a group that writes problem documents.</summary>
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
        // The contract's names, however the application names its own members.
        return TypedResults.Json(new TicketAnswer(ticket, (int)Tickets.Lifetime.TotalSeconds), JsonSerializerOptions.Web);
    }

    private sealed record TicketAnswer(string Ticket, int ExpiresIn);
}
