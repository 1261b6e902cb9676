using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dunlin.Host.Tests;

/// <summary>
/// A web site on loopback for the host: <c>/ok</c> answers at once, <c>/slow</c> when released, <c>/flaky</c> at the second request,
/// <c>/bad</c> never.
/// </summary>
internal sealed class PageSite : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _slow = new(0);

    private PageSite(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>Number of requests per page.</summary>
    public ConcurrentDictionary<string, int> Requests { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether <c>/bad</c> fails.</summary>
    public bool IsBad { get; set; } = true;

    public static async Task<PageSite> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var site = new PageSite(app);
        app.MapGet("/{kind}/{name}", site.ServeAsync);
        await app.StartAsync();
        site.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return site;
    }

    /// <summary>Completes when this number of further requests wait at <c>/slow</c>.</summary>
    public async Task WhenSlowAsync(int count)
    {
        for (var i = 0; i < count; i++)
            Assert.True(await _slow.WaitAsync(TimeSpan.FromSeconds(60)), $"only {i} of {count} came");
    }

    /// <summary>Releases waiting and later requests at <c>/slow</c>.</summary>
    public void Go() => _go.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Go();
        await _app.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token);
        await _app.DisposeAsync();
    }

    private async Task<IResult> ServeAsync(HttpContext http, string kind, string name)
    {
        var times = Requests.AddOrUpdate($"{kind}/{name}", 1, static (_, count) => count + 1);
        if (kind == "slow" && !_go.Task.IsCompleted)
        {
            _slow.Release();
            await _go.Task.WaitAsync(http.RequestAborted);
        }
        return kind switch
        {
            "bad" when IsBad => Results.StatusCode(StatusCodes.Status404NotFound),
            "flaky" when times == 1 => Results.StatusCode(StatusCodes.Status503ServiceUnavailable),
            _ => Results.Text($"<title>{kind} {name}</title>", "text/html"),
        };
    }
}
