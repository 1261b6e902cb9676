using System.Security.Claims;
using Dapper;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();

// <lock-services>
builder
    .Services.AddDunlin()
    .AddSqlite("data/customers.db")
    .AddSchema("customers", typeof(Customer).Assembly, "LockAForm.Schema.")
    .AddAccessPolicy<CustomerAccess>("customers")
    .AddAccessPolicy<CustomerAccess>("leases/customers");

// </lock-services>

var app = builder.Build();
app.UseDunlinSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDunlin(); // streams and leases: /dunlin/v1

app.MapGet("/api/me", (HttpContext http) => new { http.RequireCaller().UserId });

app.MapGet(
    "/api/customers/{id:long}",
    (HttpContext http, long id, IStore store) =>
    {
        http.RequireCaller();
        return store
            .ReadAsync(
                async (scope, _) =>
                    await scope.Connection.QuerySingleAsync<Customer>("SELECT id, name, phone FROM customer WHERE id = @id", new { id })
            )
            .AsTask();
    }
);

// <lock-save>
app.MapPut(
    "/api/customers/{id:long}",
    async (HttpContext http, long id, SaveRequest request, IStore store) =>
    {
        var caller = http.RequireCaller();
        var resource = ResourceName.Parse($"customers/{id}");
        var claim = new LeaseClaim(resource, request.LeaseId, caller.UserId, request.Fence);
        await store.WriteAsync(
            async (unit, cancellationToken) =>
            {
                // Throws 409 lease_lost where the caller does not hold the lease. The transaction then writes nothing.
                await unit.Leases.RequireAsync(claim, cancellationToken);
                const string sql = "UPDATE customer SET name = @Name, phone = @Phone WHERE id = @id";
                await unit.Connection.ExecuteAsync(
                    sql,
                    new
                    {
                        id,
                        request.Name,
                        request.Phone,
                    },
                    unit.Transaction
                );
                var saved = new Customer(id, request.Name, request.Phone);
                await unit.AppendAsync(
                    EventDraft.Of(TopicName.Parse($"customers/{id}"), "customer.saved", saved, caller.AsOrigin()),
                    cancellationToken
                );
            }
        );
    }
);

// </lock-save>

// For this guide only. Your application signs users in; Dunlin reads the claims "sub", "name" and "roles" of HttpContext.User.
app.MapGet(
    "/sign-in/{name}",
    async (HttpContext http, string name, string? role) =>
    {
        var claims = new List<Claim> { new("sub", name), new("name", name) };
        if (role is not null)
            claims.Add(new Claim("roles", role));
        await http.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity(claims, "guide")));
        return Results.Redirect("/");
    }
);

app.Run();

sealed record Customer(long Id, string Name, string Phone);

sealed record SaveRequest(string Name, string Phone, string LeaseId, long Fence);

// <lock-access>
// Decides about "customers/..." and about "leases/customers", where changes of these leases are announced.
sealed class CustomerAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(true);

    // The right to take a lease from its holder.
    public ValueTask<bool> MayPreemptAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) =>
        new(caller.Roles.Contains("supervisor"));
}
// </lock-access>
