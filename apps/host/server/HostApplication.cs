using Dunlin.Apps.Common;
using Dunlin.Apps.Documents;
using Dunlin.Apps.Focus;
using Dunlin.Apps.Todos;
using Dunlin.Apps.Warranty;
using Dunlin.Apps.Wishlists;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Hosting;
using Dunlin.Identity;
using Dunlin.Jobs;
using Dunlin.Replicache;
using Dunlin.RxDb;
using Dunlin.Security;

namespace Dunlin.Host;

/// <summary>Builds the host with all systems in one process. Tests build it too, with their own services.</summary>
internal static class HostApplication
{
    /// <summary>The known settings below <c>Dunlin:</c>.</summary>
    public static SettingSections Settings { get; } =
        new SettingSections(
            "this host",
            "Address",
            "Port",
            "Data",
            "Store",
            "Redis",
            "Demo",
            "DemoAccounts",
            "Web",
            "Docs",
            "TrustedProxies",
            "Metrics",
            "MetricsAddress"
        )
            .WithEngine()
            .With<AccountOptions>("Accounts", Bind)
            .With<JobOptions>("Jobs", Bind, isShared: true)
            .With<FetchOptions>("Fetch", Bind)
            .With<WishlistOptions>("Wishlists", Bind)
            .With<ReplicacheOptions>("Replicache", Bind)
            .With<RxDbOptions>("RxDb", Bind);

    private static void Bind(IConfigurationSection section, object options) =>
        section.Bind(options, static binder => binder.ErrorOnUnknownConfiguration = true);

    public static WebApplication Build(HostSettings settings, Action<IServiceCollection>? configure = null)
    {
        var builder = WebServer.CreateBuilder(settings.Address, settings.Port);
        builder.Services.AddSingleton(settings);
        builder.Services.AddOpenApi(openApi => openApi.ShouldInclude = description => description.HttpMethod != HttpMethods.Head);

        // Use a full path: a relative path belongs to the working directory, but the content root is the program's folder.
        var data = Path.GetFullPath(settings.Data);
        builder.Services.AddAuthentication(DunlinAuthentication.Scheme);
        builder.Services.AddHealthChecks().AddDunlin();
        var dunlin = builder
            .Services.AddDunlin()
            .AddAccounts()
            .AddTokens(tokens => tokens.SigningKeyFile = Path.Combine(data, "signing.key"))
            .AddRevocations()
            .AddInspector(inspector =>
            {
                inspector.UseAccounts = true;
                inspector.PageFolder = BuiltFolder.Find(setting: null, "inspector", "index.html")?.Root;
            });
        dunlin.AddChosenStore(data, settings.Store, settings.Redis);
        dunlin.AddDocuments();
        dunlin.AddTodos();
        dunlin.AddWarranty();
        dunlin.AddFocus();
        dunlin.AddWishlists();
        // Binds variables such as Dunlin__Jobs__LeaseDuration.
        Settings.Bind(builder.Services, builder.Configuration);
        builder.AddTelemetry();
        builder.Services.AddSingleton<DocumentationSite>();
        builder.Services.AddSingleton<WebPages>();
        builder.Services.AddHostedService<DemoData>();
        builder.Services.AddHostedService<Announcement>();
        configure?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseTelemetry();
        app.UseTrustedProxies();
        app.UseDunlinProblems();
        app.UseDunlinOrigins();
        app.Services.GetRequiredService<WebPages>().Use(app);
        app.UseAuthentication();
        var routes = app.MapGroup("").WithHead();
        routes.MapOpenApi("/openapi/v1.json");
        routes.MapDunlin();
        routes.MapDunlinHealth();
        routes.MapDunlinAccounts();
        routes.MapDocuments();
        routes.MapTodos();
        routes.MapWarranty();
        routes.MapFocus();
        routes.MapWishlists();
        routes.MapDemo(settings);
        app.MapDunlinInspector();
        app.Services.GetRequiredService<WebPages>().Map(app);
        return app;
    }
}
