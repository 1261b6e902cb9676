using System.Security.Claims;
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Records;
using Dunlin.RxDb;
using Dunlin.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
builder
    .Services.AddDunlin()
    .AddSqlite("data/list.db")
    .AddRxDb()
    .AddCollection(
        new RxCollection("items")
        {
            ClientFields = ["text", "done"],
            Tombstone = new JsonObject { ["text"] = "", ["done"] = false },
            Decide = DecideAsync,
        }
    );

var app = builder.Build();
app.UseDunlinSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDunlin();
app.MapRxDb("/api/sync"); // GET pull/items, POST push/items
app.MapRxDbHints("/api/hints"); // GET stream

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

// Decides about each change of a document, in the transaction that writes it.
static async ValueTask<RxDecision> DecideAsync(RxWrite write, CancellationToken cancellationToken)
{
    if (write.As<Item>().Text.Length is 0 or > 200)
        return RxDecision.Refuse(ErrorCode.InvalidField);
    if (write.Change != RxChange.Insert)
        return RxDecision.Write;
    // Each user has one list: a space that only this user reads.
    var list = SpaceName.Of("list", write.Caller.UserId);
    await write.Records.GrantAsync(list, write.Caller.UserId, cancellationToken);
    return RxDecision.Insert(list);
}

sealed record Item(string Id, string Text, bool Done);
