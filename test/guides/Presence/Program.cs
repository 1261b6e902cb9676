using System.Security.Claims;
using Dunlin.Presence;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
builder.Services.AddDunlin().AddSqlite("data/rooms.db").AddAccessPolicy<RoomAccess>("rooms");
builder.Services.Configure<PresenceOptions>(builder.Configuration.GetSection("Presence"));

var app = builder.Build();
app.UseDunlinSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDunlin(); // streams and presence: /dunlin/v1

app.MapGet("/api/me", (HttpContext http) => new { http.RequireCaller().UserId });

// For this guide only. Your application signs users in; Dunlin reads the claims "sub" and "name" of HttpContext.User.
app.MapGet(
    "/sign-in/{name}",
    async (HttpContext http, string name) =>
    {
        var identity = new ClaimsIdentity([new Claim("sub", name), new Claim("name", name)], "guide");
        await http.SignInAsync(new ClaimsPrincipal(identity));
        return Results.Redirect("/");
    }
);

app.Run();

// Decides who may read, and therefore see, the topics that start with "rooms".
sealed class RoomAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
}
