using Dunlin.Host;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.TestKit;

/// <summary>The host with all systems as it is shipped, in a <see cref="DunlinTestHost"/>.</summary>
internal static class DemoHost
{
    /// <summary>Builds it, with passwords that cost little to check and without its announcement.</summary>
    /// <param name="host">The test host.</param>
    /// <param name="settings">Changes the settings, which have the test host's port and folder and the demo data.</param>
    /// <param name="manualTime">Whether it uses the time of the test host.</param>
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
