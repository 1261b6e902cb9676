using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddValidation();
builder
    .Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
    .AddCookie(options =>
        options.Events.OnRedirectToLogin = context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }
    );
builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddAccessPolicy<RoomAccess>("rooms");
builder.Services.AddHealthChecks().AddDunlin();

var app = builder.Build();
app.UseDunlinSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDunlin(); // streams, leases, presence: /dunlin/v1
app.MapDunlinHealth(); // /healthz/live and /healthz/ready

// Gives each visitor a name. Replace this with your sign-in: Dunlin reads HttpContext.User.
app.MapPost(
    "/api/guest",
    async (HttpContext http) =>
    {
        if (http.GetCaller() is { } caller)
            return new Guest(caller.UserId, caller.Name);
        var guest = new Guest(Guid.NewGuid().ToString("n"), $"Guest {Random.Shared.Next(100, 1000)}");
        var identity = new ClaimsIdentity([new Claim("sub", guest.UserId), new Claim("name", guest.Name)], "guest");
        await http.SignInAsync(new ClaimsPrincipal(identity));
        return guest;
    }
);

app.MapPost(
    "/api/rooms/{room}/messages",
    async (HttpContext http, string room, NewMessage message, IStore store, CancellationToken cancellationToken) =>
    {
        var caller = http.RequireCaller();
        // Write your own rows in the same transaction: unit.Connection, unit.Transaction.
        var position = await store.WriteAsync(
            async (unit, token) =>
                await unit.AppendAsync(
                    EventDraft.Of(
                        TopicName.Of("rooms", room),
                        "message.sent",
                        new { author = caller.Name, message.Text },
                        caller.AsOrigin()
                    ),
                    token
                ),
            cancellationToken
        );
        return new { position = position.ToString() };
    }
);

app.Run();

internal sealed record Guest(string UserId, string Name);

public sealed record NewMessage([Required, StringLength(500, MinimumLength = 1)] string Text);

/// <summary>Decides who may read the topics below "rooms": here everybody with a name.</summary>
internal sealed class RoomAccess : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);
}
