using Dunlin.Accounts;
using Dunlin.Hosting;
using Dunlin.Identity;
using Dunlin.Security;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>What hangs off <c>AddDunlin()</c> for accounts.</summary>
public static class IdentityBuilderExtensions
{
    /// <summary>
    /// Adds password accounts and their sessions over the store's <see cref="IAccountStore"/> and <see cref="ISessionStore"/>, with
    /// everything of <see cref="SecurityBuilderExtensions.AddTokens"/>. <c>MapDunlinAccounts()</c> maps their endpoints.
    /// <see cref="IAccounts"/> creates and changes users; so does <c>UserManager&lt;AccountUser&gt;</c> of ASP.NET Core Identity. Add an
    /// <c>IPasswordValidator&lt;AccountUser&gt;</c> for further rules about passwords, an <c>IPasswordHasher&lt;AccountUser&gt;</c> for
    /// another hash. <see cref="IdentityOptions"/> is not read: it belongs to the application.
    /// </summary>
    public static DunlinBuilder AddAccounts(this DunlinBuilder builder, Action<AccountOptions>? configure = null)
    {
        var services = builder.AddTokens().Services;
        var options = services.AddOptions<AccountOptions>();
        if (configure is not null)
            options.Configure(configure);
        options.ValidateDataAnnotations().ValidateOnStart();
        if (services.Any(service => service.ServiceType == typeof(AccountUsers)))
            return builder;
        services.AddSingleton<IValidateOptions<AccountOptions>, AccountOptionsValidator>();
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
        // Before Identity's own, which allows ASCII letters only in user names.
        services.TryAddScoped<IUserValidator<AccountUser>, AccountNameValidator>();
        services
            .AddIdentityCore<AccountUser>()
            .AddUserStore<AccountUserStore>()
            .AddUserManager<AccountUsers>()
            .AddPasswordValidator<PasswordLengthValidator>();
        return builder;
    }
}
