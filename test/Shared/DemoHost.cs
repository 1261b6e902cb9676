using Dunlin.Host;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.TestKit;

/// <summary>Runs the shipped host with all systems in a <see cref="DunlinTestHost"/>.</summary>
internal static class DemoHost
{
    /// <summary>Builds the host, with fast password hashing and without its start message.</summary>
    /// <param name="host">The test host.</param>
    /// <param name="settings">Changes the settings, which contain the test host's port and folder and the demo data.</param>
    /// <param name="manualTime">Whether to use the time of the test host.</param>
    /// <param name="configure">Adds services.</param>
    public static WebApplication Build(
        DunlinTestHost host,
        Func<HostSettings, HostSettings>? settings = null,
        bool manualTime = true,
        Action<IServiceCollection>? configure = null
    )
    {
        var given = new HostSettings
        {
            Port = host.Port,
            Data = host.Folder,
            Demo = true,
        };
        return HostApplication.Build(
            settings?.Invoke(given) ?? given,
            services =>
            {
                host.Configure(services, manualTime);
                services.Configure<PasswordHasherOptions>(static hasher => hasher.IterationCount = 10);
                services.Remove(services.Single(static service => service.ImplementationType == typeof(Announcement)));
                configure?.Invoke(services);
            }
        );
    }
}
