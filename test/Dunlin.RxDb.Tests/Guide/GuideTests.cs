using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dunlin.Journal;
using Dunlin.Records;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.RxDb.Tests.Guide;

public sealed class GuideTests
{
    [Fact]
    public void Code_of_the_guide_equals_the_compiled_code()
    {
        var blocks = Regex
            .Matches(Repository.Read("docs/guides/replicate-with-rxdb.md"), "```csharp\n(?<text>.*?)```", RegexOptions.Singleline)
            .Select(m => m.Groups["text"].Value.Trim())
            .ToList();
        var regions = Regex
            .Matches(
                Repository.Read("test/Dunlin.RxDb.Tests/Guide/ReplicateWithRxDb.cs"),
                @"#region \w+\n(?<text>.*?)#endregion",
                RegexOptions.Singleline
            )
            .Select(m => Unindented(m.Groups["text"].Value))
            .ToHashSet(StringComparer.Ordinal);
        Assert.Equal(regions.Count, blocks.Count);
        Assert.All(blocks, block => Assert.Contains(block, regions));
    }

    [Fact]
    public async Task Code_of_the_guide_works()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddDunlin().AddInMemory().AddShelves();
        builder.Services.AddSingleton<ThingService>();
        await using var app = builder.Build();
        app.Use(
            static (context, next) =>
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "ann")], "test"));
                return next(context);
            }
        );
        app.MapShelves();
        await app.StartAsync();
        await app
            .Services.GetRequiredService<IStore>()
            .WriteAsync(async (unit, ct) => await unit.Records().GrantAsync(SpaceName.Of("shelf", "kitchen"), "ann", ct));
        await app.Services.GetRequiredService<ThingService>().AddAsync(new ShelvesApp.Thing("a", "kitchen", "Tea"));

        using var client = new HttpClient
        {
            BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()),
        };
        object[] rows =
        [
            new
            {
                newDocumentState = new
                {
                    id = "b",
                    shelf = "kitchen",
                    text = " Rusks ",
                    _deleted = false,
                },
            },
            new
            {
                newDocumentState = new
                {
                    id = "c",
                    shelf = "kitchen",
                    text = 7,
                    _deleted = false,
                },
            },
        ];
        using var pushed = await client.PostAsJsonAsync("/api/v1/sync/push/things?schema=0", rows);
        Assert.Equal("c", (string?)(await pushed.Content.ReadFromJsonAsync<JsonArray>())!.Single()!["id"]);
        var page = await client.GetFromJsonAsync<JsonObject>("/api/v1/sync/pull/things?schema=0");
        Assert.Equal("Tea,Rusks", string.Join(',', page!["documents"]!.AsArray().Select(d => (string?)d!["text"])));
        await app.StopAsync();
    }

    private static string Unindented(string text)
    {
        var lines = text.Split('\n');
        var indent = lines.Where(l => l.Trim().Length > 0).Min(l => l.Length - l.TrimStart().Length);
        return string.Join('\n', lines.Select(l => l.Length >= indent ? l[indent..] : l.TrimStart())).Trim();
    }
}
