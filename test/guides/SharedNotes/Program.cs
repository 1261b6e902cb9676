using System.Security.Claims;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
builder.Services.AddDunlin().AddSqlite("data/notes.db").AddYjs().AddAccessPolicy<NoteAccess>("notes");

var app = builder.Build();
app.UseDunlinSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDunlin(); // streams, and cursors as transient events: /dunlin/v1
app.MapYjs("/api/yjs"); // documents: GET, POST and PUT /api/yjs/notes/1

app.MapGet("/api/me", (HttpContext http) => new { http.RequireCaller().UserId });

// For this guide only. Your application signs users in; Dunlin reads the claims "sub", "name" and "roles" of HttpContext.User.
app.MapGet(
    "/sign-in/{name}",
    async (HttpContext http, string name, string? role) =>
    {
        Claim[] claims = [new("sub", name), new("name", name), new("roles", role ?? "writer")];
        await http.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity(claims, "guide")));
        return Results.Redirect("/");
    }
);

app.Run();

// Decides about the topics "notes/...". A document is a topic.
sealed class NoteAccess : IAccessPolicy
{
    // May open the document, and see edits and cursors.
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

    // May edit, show a cursor, and store snapshots.
    public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
        new(caller.Roles.Contains("writer"));
}
