using Dunlin.Accounts;
using Dunlin.Hosting;
using Dunlin.Identity;
using Dunlin.Security;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extends <see cref="DunlinBuilder"/> with accounts.</summary>
public static class IdentityBuilderExtensions
{
    /// <summary>Adds password accounts and their sessions, on the store's <see cref="IAccountStore"/> and <see cref="ISessionStore"/>, and
    /// all of <see cref="SecurityBuilderExtensions.AddTokens"/>. <c>MapDunlinAccounts()</c> maps their endpoints.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <see cref="IAccounts"/> and Identity's <c>UserManager&lt;AccountUser&gt;</c> create and change users. For further password rules,
    /// register an <c>IPasswordValidator&lt;AccountUser&gt;</c>; for another hash, an <c>IPasswordHasher&lt;AccountUser&gt;</c>. Accounts
    /// ignore <see cref="IdentityOptions"/>, which belong to the application.
    /// </remarks>
    /// <example>
    /// <code>
    /// builder.Services.AddDunlin().AddSqlite("data/dunlin.db").AddAccounts();
    /// var app = builder.Build();
    /// app.MapDunlinAccounts();
    /// </code>
    /// </example>
    public static DunlinBuilder AddAccounts(this DunlinBuilder builder, Action<AccountOptions>? configure = null)
    {
        var services = builder.AddTokens().Services;
        var options = services.AddValidatedOptions<AccountOptions, AccountAnnotationsValidator>();
        if (configure is not null)
            options.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(AccountUsers)))
            return builder;
        services.AddSingleton<IValidateOptions<AccountOptions>, AccountOptionsValidator>();
        HttpJson.Apply(services, AccountJson.Default);
        services.TryAddSingleton<SessionCache>();
        services.TryAddSingleton<SessionCookie>();
        services.TryAddSingleton<ISessionSource, SessionSource>();
        services.TryAddSingleton<Sessions>();
        services.TryAddSingleton<ISessions>(provider => provider.GetRequiredService<Sessions>());
        services.TryAddSingleton<SignInLockout>();
        services.TryAddSingleton<AddressThrottle>();
        services.TryAddSingleton<HashingSlots>();
        services.TryAddSingleton<PasswordSignIn>();
        services.TryAddSingleton<TokenIssuer>();
        services.TryAddSingleton<IAccounts, IdentityAccounts>();
        // Registered before Identity's own validator, which allows only ASCII letters and digits in user names.
        services.TryAddScoped<IUserValidator<AccountUser>, AccountNameValidator>();
        services
            .AddIdentityCore<AccountUser>()
            .AddUserStore<AccountUserStore>()
            .AddUserManager<AccountUsers>()
            .AddPasswordValidator<PasswordLengthValidator>();
        return builder;
    }
}
