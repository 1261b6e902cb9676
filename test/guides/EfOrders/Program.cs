using System.Security.Claims;
using Dunlin.EntityFrameworkCore;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.EntityFrameworkCore;

Directory.CreateDirectory("data");
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
builder.Services.AddDbContext<ShopDb>(options => options.UseSqlite("Data Source=data/shop.db"));
builder.Services.AddDunlin().AddSqlite("data/shop.db").UseEntityFramework<ShopDb>().AddAccessPolicy<OrderAccess>("orders");

var app = builder.Build();
await using (var scope = app.Services.CreateAsyncScope())
    await scope.ServiceProvider.GetRequiredService<ShopDb>().Database.EnsureCreatedAsync();
app.UseDunlinSecurity();
app.MapDunlin(); // streams and leases: /dunlin/v1

app.MapPost(
    "/api/orders/{id}",
    async (HttpContext http, string id, ShopDb db, CancellationToken cancellationToken) =>
    {
        var order = new Order { Id = id, Customer = http.RequireCaller().Name };
        db.Orders.Add(order);
        db.Publish(TopicName.Of("orders", "all"), "order.added", order);
        await db.SaveChangesAsync(cancellationToken); // the row and the event, or neither
        return new { Position = (await db.PublishedPositionAsync(cancellationToken)).ToString() };
    }
);

// For this guide only. Your application signs users in; Dunlin reads the claims "sub" and "name" of HttpContext.User.
app.MapPost(
    "/sign-in/{name}",
    (HttpContext http, string name) =>
        http.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", name), new Claim("name", name)], "guide")))
);

app.Run();

sealed class ShopDb(DbContextOptions<ShopDb> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();
}

sealed class Order
{
    public required string Id { get; set; }

    public required string Customer { get; set; }
}

sealed class OrderAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
}
