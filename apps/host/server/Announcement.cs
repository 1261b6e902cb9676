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
            Console.WriteLine($"Dunlin is at {address}");
            if (settings.Demo)
                Console.WriteLine(
                    $"Demo accounts: {string.Join(", ", DemoData.Accounts.Select(a => a.Username))}; password: {DemoData.Password}"
                );
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
