using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Dunlin.Diagnostics;
using Dunlin.Records;
using Dunlin.Replicache;
using Dunlin.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
builder
    .Services.AddDunlin()
    .AddSqlite("data/list.db")
    .AddReplicache(options => options.SchemaVersions.Add("1"))
    .AddMutator<NewItem>("createItem", CreateItemAsync)
    .AddMutator<DoneItem>("setDone", SetDoneAsync)
    .AddMutator<ItemId>("deleteItem", DeleteItemAsync);

var app = builder.Build();
app.UseDunlinSecurity();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapDunlin();
app.MapReplicache("/api/replicache"); // POST push, POST pull, GET stream

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

// Each user has one list: a space that only this user reads.
static SpaceName ListOf(Mutation mutation) => SpaceName.Of("list", mutation.Caller.UserId);

static async ValueTask CreateItemAsync(Mutation mutation, NewItem args, CancellationToken cancellationToken)
{
    var list = ListOf(mutation);
    await mutation.Records.GrantAsync(list, mutation.Caller.UserId, cancellationToken);
    if (await mutation.Records.FindAsync(list, "item/" + args.Id, cancellationToken) is not null)
        throw new DunlinException(ErrorCode.Conflict, $"An item with the id '{args.Id}' exists.", "id");
    await mutation.Records.PutAsync(list, "item/" + args.Id, new Item(args.Id, args.Text, false), cancellationToken: cancellationToken);
}

static async ValueTask SetDoneAsync(Mutation mutation, DoneItem args, CancellationToken cancellationToken)
{
    var list = ListOf(mutation);
    var item =
        await mutation.Records.FindAsync<Item>(list, "item/" + args.Id, cancellationToken)
        ?? throw new DunlinException(ErrorCode.NotFound, $"No item with the id '{args.Id}'.");
    await mutation.Records.PutAsync(list, "item/" + args.Id, item with { Done = args.Done }, cancellationToken: cancellationToken);
}

static async ValueTask DeleteItemAsync(Mutation mutation, ItemId args, CancellationToken cancellationToken) =>
    await mutation.Records.DeleteAsync(ListOf(mutation), "item/" + args.Id, cancellationToken);

sealed record Item(string Id, string Text, bool Done);

// Arguments are checked before the mutator runs.
sealed record NewItem(
    [property: StringLength(40, MinimumLength = 1)] string Id,
    [property: StringLength(200, MinimumLength = 1)] string Text
);

sealed record DoneItem(string Id, bool Done);

sealed record ItemId(string Id);
