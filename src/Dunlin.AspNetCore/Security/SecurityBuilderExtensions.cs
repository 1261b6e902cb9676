using System.Diagnostics.CodeAnalysis;
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

/// <summary>Extends <see cref="DunlinBuilder"/> with authentication.</summary>
public static class SecurityBuilderExtensions
{
    /// <summary>Adds the authentication scheme <see cref="DunlinAuthentication.Scheme"/>: bearer tokens of this server and of
    /// <see cref="AccessTokenOptions.TrustedIssuers"/>, session cookies if there are accounts, and tickets.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// The method does not set the application's default scheme. ASP.NET Core makes the only registered scheme the default. With several
    /// schemes, Dunlin's endpoints use the user that the default scheme has authenticated, and otherwise this scheme. An endpoint of the
    /// application uses this scheme if it names it or calls <see cref="CallerAuthentication.WithDunlinCaller"/>.
    /// </remarks>
    public static DunlinBuilder AddTokens(this DunlinBuilder builder, Action<AccessTokenOptions>? configure = null)
    {
        var services = builder.AddOrigins().Services;
        Configure<AccessTokenOptions, AccessTokenAnnotationsValidator>(services, configure);
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
            // AddAuthentication() would also add data protection, which reads or creates a key file at the start. Only cookies need it.
            services.AddAuthenticationCore();
            services.AddWebEncoders();
            new AuthenticationBuilder(services).AddScheme<AuthenticationSchemeOptions, DunlinAuthenticationHandler>(
                DunlinAuthentication.Scheme,
                configureOptions: null
            );
        }
        return builder;
    }

    /// <summary>Adds an access policy for names under <paramref name="prefix"/> that follows the claim <c>dunlin</c> of the token; see
    /// <see cref="Grants"/>. For servers whose users another system manages.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="prefix">The prefix of topics and resources. Default: empty, which means all. A policy with a longer prefix takes
    /// precedence for its names.</param>
    /// <returns>The same builder.</returns>
    public static DunlinBuilder AddTokenGrants(this DunlinBuilder builder, string prefix = "") =>
        builder.AddTokens().AddAccessPolicy<GrantPolicy>(prefix);

    /// <summary>Adds <see cref="Revocations"/>, which end credentials before they expire. Use it to revoke tokens of other issuers.
    /// Credentials of accounts on this server end with their sessions without it.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The same builder.</returns>
    public static DunlinBuilder AddRevocations(this DunlinBuilder builder, Action<RevocationOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Configure<RevocationOptions, RevocationOptionsValidator>(builder.Services, configure);
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

    /// <summary>Adds the options of allowed origins. <c>UseDunlinOrigins()</c> adds their middleware. Writes with a cookie are checked
    /// without that middleware too.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The same builder.</returns>
    public static DunlinBuilder AddOrigins(this DunlinBuilder builder, Action<OriginOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Configure<OriginOptions, OriginAnnotationsValidator>(builder.Services, configure);
        builder.Services.AddCors();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OriginOptions>, OriginOptionsValidator>());
        return builder;
    }

    private static void Configure<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TValidator
    >(IServiceCollection services, Action<TOptions>? configure)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        var options = services.AddValidatedOptions<TOptions, TValidator>();
        if (configure is not null)
            options.Configure(configure);
    }
}
