using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.E2E.Tests.Wishlists;

/// <summary>A shop on loopback whose pages wait until the test releases them.</summary>
internal sealed class Shop : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Shop(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>Whether <c>/lamp</c> exists.</summary>
    public bool HasLamp { get; set; }

    /// <summary>Delays the answers of <c>/lamp</c>.</summary>
    public Task LampIsReady { get; set; } = Task.CompletedTask;

    public static async Task<Shop> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var shop = new Shop(app);
        app.MapGet(
            "/kettle",
            async () =>
            {
                await shop._open.Task;
                return Page("Enamel kettle, 2 litres", "39.50", "EUR", "https://pictures.example/kettle.svg");
            }
        );
        app.MapGet(
            "/lamp",
            async () =>
            {
                await shop.LampIsReady;
                return shop.HasLamp ? Page("Reading lamp", "75", "EUR", "https://pictures.example/lamp.svg") : Results.NotFound();
            }
        );
        await app.StartAsync();
        shop.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return shop;
    }

    /// <summary>Releases the pages.</summary>
    public void Open() => _open.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Open();
        await _app.DisposeAsync();
    }

    private static IResult Page(string title, string price, string currency, string image) =>
        Results.Content(
            $"""
            <!DOCTYPE html><html><head><title>{title} - Shop</title>
            <meta property="og:title" content="{title}"><meta property="og:image" content="{image}">
            <meta property="product:price:amount" content="{price}"><meta property="product:price:currency" content="{currency}">
            </head><body></body></html>
            """,
            "text/html; charset=utf-8"
        );
}
