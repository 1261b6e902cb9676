using Dunlin.Apps.Common;
using Dunlin.Apps.Documents;
using Dunlin.Apps.Focus;
using Dunlin.Apps.Todos;
using Dunlin.Apps.Warranty;
using Dunlin.Apps.Wishlists;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Hosting;
using Dunlin.Jobs;
using Dunlin.Problems;
using Dunlin.RxDb;
using Dunlin.Security;
using Dunlin.Streams;

namespace Dunlin.Host;

/// <summary>All systems in one process. Tests build it too, with their own services.</summary>
internal static class HostApplication
{
    public static WebApplication Build(HostSettings settings, Action<IServiceCollection>? configure = null)
    {
        var builder = WebServer.CreateBuilder(System.Net.IPAddress.Loopback, settings.Port);
        builder.Services.AddSingleton(settings);
        builder.Services.AddOpenApi();

        Directory.CreateDirectory(settings.Data);
        var dunlin = builder.Services.AddDunlin().AddAccounts().AddTokens(tokens => tokens.SigningKeyFile = Path.Combine(settings.Data, "signing.key"));
        dunlin.AddChosenStore(settings.Data, settings.Store, settings.Redis);
        dunlin.AddDocuments();
        dunlin.AddTodos();
        dunlin.AddWarranty();
        dunlin.AddFocus();
        dunlin.AddWishlists();
        // Dunlin__Jobs__LeaseDuration and the like.
        builder.Services.ConfigureAll<JobOptions>(builder.Configuration.GetSection("Dunlin:Jobs").Bind);
        builder.Services.Configure<FetchOptions>(builder.Configuration.GetSection("Dunlin:Fetch"));
        builder.Services.Configure<StreamOptions>(builder.Configuration.GetSection("Dunlin:Streams"));
        builder.Services.Configure<RxDbOptions>(builder.Configuration.GetSection("Dunlin:RxDb"));
        builder.Services.AddHostedService<Telemetry>();
        builder.Services.AddSingleton<WebPages>();
        builder.Services.AddHostedService<DemoData>();
        builder.Services.AddHostedService<Announcement>();
        configure?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseTrustedProxies();
        app.UseDunlinProblems();
        app.UseDunlinOrigins();
        app.Services.GetRequiredService<WebPages>().Use(app);
        app.UseAuthentication();
        app.MapOpenApi("/openapi/v1.json");
        app.MapDunlin();
        app.MapDunlinAccounts();
        app.MapDocuments();
        app.MapTodos();
        app.MapWarranty();
        app.MapFocus();
        app.MapWishlists();
        app.MapDemo(settings);
        app.Services.GetRequiredService<WebPages>().Map(app);
        return app;
    }
}
