using System.Net;

namespace Dunlin.Host;

/// <summary>Prints the address when the host is ready.</summary>
internal sealed class Announcement(
    HostSettings settings,
    IHostApplicationLifetime lifetime,
    Microsoft.AspNetCore.Hosting.Server.IServer server
) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() =>
        {
            var address = server
                .Features.Get<Microsoft.AspNetCore.Hosting.Server.Features.IServerAddressesFeature>()
                ?.Addresses.FirstOrDefault();
            foreach (var line in Lines(settings, address))
                Console.WriteLine(line);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns the address and what to try next.</summary>
    internal static IEnumerable<string> Lines(HostSettings settings, string? address)
    {
        yield return $"Dunlin is at {address}";
        if (settings.Demo)
        {
            yield return $"Demo accounts: {string.Join(", ", DemoData.Accounts.Select(a => a.Username))}; password: {DemoData.Password}";
            if (!IPAddress.IsLoopback(settings.Address))
                yield return "Warning: everybody who reaches this address can sign in with a demo account. Start with --no-demo.";
        }
        yield return "Try next:";
        if (settings.Demo)
        {
            yield return $"  a page     open {address} in two windows, sign in as alice and as bob, and change something";
            yield return $"  with curl  curl -sc jar {address}/api/v1/auth/login -H 'Content-Type: application/json' \\";
            yield return $$"""               -d '{"username": "alice", "password": "{{DemoData.Password}}"}'""";
            yield return $"             curl -sNb jar '{address}/dunlin/v1/events?topic=users/alice'";
        }
        yield return $"  the API    {address}/openapi/v1.json";
        yield return "  the docs   ./docs.sh builds and serves them; docs/start/in-a-dotnet-application.md is the first page";
        yield return "  the server for back ends in any language: ./start.sh --server";
    }
}
