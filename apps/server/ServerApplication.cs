using Dunlin.Apps.Common;
using Dunlin.Hosting;
using Dunlin.Mercure;
using Dunlin.Security;
using Microsoft.Extensions.Options;

namespace Dunlin.Server;

/// <summary>
/// Builds the stand-alone server: the engine with tokens of any issuer, without accounts and pages. Tests build it too, with their own
/// services.
/// </summary>
internal static class ServerApplication
{
    /// <summary>The path of collaborative documents, which is the default of the browser client.</summary>
    public const string YjsPath = "/api/yjs";

    /// <summary>Builds the application.</summary>
    /// <param name="given">Settings of the command line, by name without <c>Dunlin:</c>.</param>
    /// <param name="file">A JSON file with settings; null for none.</param>
    /// <param name="configure">Changes services.</param>
    /// <exception cref="InvalidOperationException">A setting is invalid.</exception>
    public static WebApplication Build(
        IReadOnlyDictionary<string, string?> given,
        string? file = null,
        Action<IServiceCollection>? configure = null
    )
    {
        var builder = WebServer.CreateBuilder();
        Configure(builder.Configuration, given, file);
        var settings = ServerSettings.From(builder.Configuration) with { File = file is null ? null : Path.GetFullPath(file) };
        builder.Listen(settings.Address, settings.Port);
        builder.Services.AddSingleton(settings);
        builder.Services.AddOpenApi(openApi => openApi.ShouldInclude = description => description.HttpMethod != HttpMethods.Head);

        builder.Services.AddAuthenticationCore(options => options.DefaultScheme = DunlinAuthentication.Scheme);
        builder.Services.AddHealthChecks().AddDunlin();
        var dunlin = builder
            .Services.AddDunlin()
            .AddTokens(tokens => tokens.SigningKeyFile = Path.Combine(settings.Data, "signing.key"))
            .AddTokenGrants()
            .AddRevocations()
            .AddInspector()
            .AddHooks()
            .AddChosenStore(settings.Data, settings.Store, settings.Redis);
        var hasMercure = IsEnabled(builder.Configuration, "Mercure");
        if (hasMercure)
            dunlin.AddMercure(hub => hub.Url = $"http://localhost:{settings.Port}{MercureEndpoints.DefaultPath}");
        var hasStreams = IsEnabled(builder.Configuration, "DurableStreams");
        if (hasStreams)
            dunlin.AddDurableStreams();
        var hasWebhooks = IsEnabled(builder.Configuration, "Webhooks");
        if (hasWebhooks)
            dunlin.AddWebhooks();
        var hasYjs = IsEnabled(builder.Configuration, "Yjs");
        if (hasYjs)
            dunlin.AddYjs();
        // Last, so that the configuration overrides the options set above.
        ServerOptions.Add(dunlin.Services, builder.Configuration);
        builder.AddTelemetry();
        builder.Services.AddHostedService<Announcement>();
        builder.Services.AddHostedService<StartMemory>();
        configure?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseTelemetry();
        app.UseTrustedProxies();
        app.UseDunlinSecurity();
        app.MapOpenApi("/openapi/v1.json").WithHead();
        app.MapDunlin();
        app.MapDunlinHealth();
        app.MapDunlinTickets();
        app.MapDunlinUsers();
        app.MapDunlinInspector();
        app.MapDunlinHooks();
        if (hasMercure)
            app.MapMercure(new Uri(app.Services.GetRequiredService<IOptions<MercureOptions>>().Value.Url).AbsolutePath);
        if (hasStreams)
            app.MapDurableStreams();
        if (hasWebhooks)
            app.MapDunlinWebhooks();
        if (hasYjs)
            app.MapYjs(YjsPath);
        return app;
    }

    private static bool IsEnabled(ConfigurationManager configuration, string protocol) =>
        bool.TryParse(configuration[$"{ServerSettings.Root}:{protocol}:Enabled"], out var isEnabled) && isEnabled;

    private static void Configure(ConfigurationManager configuration, IReadOnlyDictionary<string, string?> given, string? file)
    {
        if (file is not null)
        {
            // First, so that the environment overrides the file.
            var source = new Microsoft.Extensions.Configuration.Json.JsonConfigurationSource
            {
                Path = Path.GetFullPath(file),
                Optional = false,
            };
            source.ResolveFileProvider();
            configuration.Sources.Insert(0, source);
        }
        configuration.AddInMemoryCollection(given.Select(pair => KeyValuePair.Create($"{ServerSettings.Root}:{pair.Key}", pair.Value)));
    }
}
