using System.Net;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Snippets;

/// <summary>The C# of docs/guides/from-signalr.md and docs/guides/behind-a-proxy.md, compiled and run.</summary>
public sealed class SignalRSnippet
{
    [Fact]
    public async Task The_endpoint_that_replaces_a_hub_sends_to_members_of_the_team()
    {
        await using var host = await DunlinTestHost.StartAsync(options =>
        {
            options.Dunlin = dunlin => dunlin.AddInMemory().AddAccessPolicy<TeamAccess>("teams");
            options.Map = app =>
            {
                MapMessages(app);
                MapTyping(app);
            };
        });
        await using var ann = await host.OpenAsync("/dunlin/v1/events?topic=teams/7", user: "ann");
        using var bob = host.Client("bob");
        // A transient event reaches only streams that have caught up, so repeat it.
        var typing = ann.UntilAsync(item => item.EventType == "typing");
        while (!typing.IsCompleted)
            (await bob.SendJsonAsync("POST", "/api/teams/7/typing")).Ok();
        Assert.Equal("""{"author":"bob"}""", (await typing).Data);
        (await bob.SendJsonAsync("POST", "/api/teams/7/messages", new { text = "hello" })).Ok();
        Assert.Equal("""{"author":"bob","text":"hello"}""", (await ann.UntilAsync(item => item.EventType == "messageSent")).Data);
    }

    // <signalr-hub>
    public sealed class ChatHub(ChatData data) : Hub
    {
        public Task Join(string team) => Groups.AddToGroupAsync(Context.ConnectionId, team);

        public async Task Send(string team, string text)
        {
            await data.SaveAsync(team, Context.UserIdentifier!, text);
            // The message is lost if the process stops here, or while a page reconnects.
            await Clients.Group(team).SendAsync("messageSent", new { author = Context.UserIdentifier, text });
        }
    }

    // </signalr-hub>

    private static void MapMessages(WebApplication app)
    {
        // <signalr-endpoint>
        app.MapPost(
            "/api/teams/{team}/messages",
            async (HttpContext http, string team, NewMessage message, IStore store) =>
            {
                var caller = http.RequireCaller();
                await store.WriteAsync(
                    async (unit, cancellationToken) =>
                    {
                        await SaveAsync(unit, team, caller.UserId, message.Text, cancellationToken); // your tables, same transaction
                        var sent = EventDraft.Of(
                            TopicName.Of("teams", team),
                            "messageSent",
                            new { author = caller.UserId, message.Text },
                            caller.AsOrigin()
                        );
                        await unit.AppendAsync(sent, cancellationToken);
                    }
                );
            }
        );
        // </signalr-endpoint>
    }

    private static void MapTyping(WebApplication app)
    {
        // <signalr-transient>
        app.MapPost(
            "/api/teams/{team}/typing",
            (HttpContext http, string team, EventFanout fanout) =>
                fanout.PublishTransient(EventDraft.Of(TopicName.Of("teams", team), "typing", new { author = http.RequireCaller().UserId }))
        );
        // </signalr-transient>
    }

    // <signalr-policy>
    public sealed class TeamAccess : IAccessPolicy
    {
        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(IsMember(caller, topic.Value));
    }

    // </signalr-policy>

    internal static WebApplication TrustProxies(WebApplicationBuilder builder)
    {
        // <trusted-proxies>
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            options.KnownProxies.Add(IPAddress.Parse("10.0.0.1"));
        });
        var app = builder.Build();
        app.UseForwardedHeaders(); // before everything that uses the address or the scheme
        app.UseDunlinSecurity();
        // </trusted-proxies>
        return app;
    }

    private static bool IsMember(Caller caller, string name) => caller.UserId is "ann" or "bob" && NamePrefix.Covers("teams/7", name);

    private static Task SaveAsync(IUnitOfWork unit, string team, string author, string text, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    internal sealed record NewMessage(string Text);

    public sealed class ChatData
    {
        public Task SaveAsync(string team, string author, string text) => Task.CompletedTask;
    }
}
