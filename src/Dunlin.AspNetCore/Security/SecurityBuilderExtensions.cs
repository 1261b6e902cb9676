using Dunlin.Access;
using Dunlin.Accounts;
using Dunlin.Fanout;
using Dunlin.Hosting;
using Dunlin.Journal;
using Dunlin.Leases;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>What hangs off <c>AddDunlin()</c> for signing in.</summary>
public static class SecurityBuilderExtensions
{
    /// <summary>
    /// Adds the authentication scheme <see cref="DunlinAuthentication.Scheme"/>: bearer tokens of this server and of
    /// <see cref="AccessTokenOptions.TrustedIssuers"/>, session cookies where there are accounts, tickets.
    /// </summary>
    /// <remarks>
    /// Does not set the application's default scheme. ASP.NET Core makes the only registered scheme the default. With several
    /// schemes, Dunlin's endpoints use the user that the application's default scheme has authenticated, and else this scheme;
    /// endpoints of the application use this scheme where they name it or call <see cref="CallerAuthentication.WithDunlinCaller"/>.
    /// </remarks>
    public static DunlinBuilder AddTokens(this DunlinBuilder builder, Action<AccessTokenOptions>? configure = null)
    {
        var services = builder.AddOrigins().Services;
        Configure(services, configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AccessTokenOptions>, AccessTokenOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<AccessChanges>();
        services.AddHostedSingleton<SigningKeyStore>();
        services.AddHostedSingleton<TokenValidator>();
        services.AddHostedSingleton<Authorities>();
        services.TryAddSingleton(provider => new AccessTokens(
            provider.GetRequiredService<IOptions<AccessTokenOptions>>(),
            provider.GetRequiredService<SigningKeyStore>(),
            provider.GetRequiredService<TokenValidator>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        services.TryAddSingleton<ITicketStore, InMemoryTicketStore>();
        services.TryAddSingleton<Tickets>();
        if (!services.Any(service => service.ServiceType == typeof(DunlinAuthenticationHandler)))
        {
            Authorities.AddClient(services);
            services
                .AddAuthentication()
                .AddScheme<AuthenticationSchemeOptions, DunlinAuthenticationHandler>(DunlinAuthentication.Scheme, configureOptions: null);
        }
        return builder;
    }

    /// <summary>
    /// Lets tokens decide for themselves which topics and resources under <paramref name="prefix"/> they open: the claim
    /// <c>dunlin</c>, see <see cref="Grants"/>. For servers whose users another system knows. A policy with a longer prefix
    /// decides about its own names as before.
    /// </summary>
    public static DunlinBuilder AddTokenGrants(this DunlinBuilder builder, string prefix = "") =>
        builder.AddTokens().AddAccessPolicy<GrantPolicy>(prefix);

    /// <summary>
    /// Ends credentials before they run out: see <see cref="Revocations"/>. Needed where tokens of others are taken that must be
    /// revocable; accounts kept here end with their sessions anyway.
    /// </summary>
    public static DunlinBuilder AddRevocations(this DunlinBuilder builder, Action<RevocationOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Configure(builder.Services, configure);
        builder.Services.AddHostedSingleton(provider => new Revocations(
            provider.GetRequiredService<IStore>(),
            provider.GetRequiredService<EventFanout>(),
            provider.GetRequiredService<LeaseService>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<IOptions<RevocationOptions>>(),
            provider.GetRequiredService<ILogger<Revocations>>()
        ));
        return builder;
    }

    /// <summary>Which other origins may call. <c>UseDunlinOrigins()</c> installs it; writes with a cookie are checked anyway.</summary>
    public static DunlinBuilder AddOrigins(this DunlinBuilder builder, Action<OriginOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Configure(builder.Services, configure);
        builder.Services.AddCors();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OriginOptions>, OriginOptionsValidator>());
        return builder;
    }

    private static void Configure<TOptions>(IServiceCollection services, Action<TOptions>? configure)
        where TOptions : class
    {
        var options = services.AddOptions<TOptions>();
        if (configure is not null)
            options.Configure(configure);
        options.ValidateDataAnnotations().ValidateOnStart();
    }
}
