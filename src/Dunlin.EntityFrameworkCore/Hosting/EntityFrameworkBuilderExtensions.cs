using Dunlin.EntityFrameworkCore.Hosting;
using Dunlin.EntityFrameworkCore.Transactions;
using Dunlin.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Connects contexts of EF Core with Dunlin.</summary>
public static class EntityFrameworkBuilderExtensions
{
    /// <summary>Lets a context publish events and require leases in its transactions.</summary>
    /// <remarks>Works with <c>AddDbContext</c>, <c>AddDbContextPool</c> and <c>AddDbContextFactory</c>. Call it after them, so that
    /// interceptors of the application which publish, or which refuse a save or a commit, run first. The context must use the database of
    /// the store.</remarks>
    /// <typeparam name="TContext">The type of the context. Call this once for each type.</typeparam>
    /// <param name="builder">The builder, with <c>AddSqlite</c> or <c>AddPostgres</c>.</param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddDbContext&lt;AppDb&gt;(options =&gt; options.UseNpgsql(database));
    /// builder.Services.AddDunlin().AddPostgres(database).UseEntityFramework&lt;AppDb&gt;();
    /// </code>
    /// </example>
    public static DunlinBuilder UseEntityFramework<TContext>(this DunlinBuilder builder)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<ContextStore>();
        builder.Services.ConfigureDbContext<TContext>((services, options) => options.UseDunlin(services));
        return builder;
    }

    /// <summary>Lets the contexts of these options publish events and require leases in their transactions, for options that the
    /// application builds itself. Repeated calls have no effect.</summary>
    /// <param name="options">The options.</param>
    /// <param name="services">The services that hold the store. They must live as long as the contexts.</param>
    /// <returns>The same options.</returns>
    public static DbContextOptionsBuilder UseDunlin(this DbContextOptionsBuilder options, IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        if (options.Options.FindExtension<ContextExtension>() is null)
            options.AddInterceptors(ContextInterceptor.Instance);
        var store = services.GetService<ContextStore>() ?? new ContextStore(services);
        ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(new ContextExtension(store));
        return options;
    }

    /// <summary>Does the same for options of one context type.</summary>
    /// <typeparam name="TContext">The type of the context.</typeparam>
    /// <param name="options">The options.</param>
    /// <param name="services">The services that hold the store. They must live as long as the contexts.</param>
    /// <returns>The same options.</returns>
    public static DbContextOptionsBuilder<TContext> UseDunlin<TContext>(
        this DbContextOptionsBuilder<TContext> options,
        IServiceProvider services
    )
        where TContext : DbContext
    {
        UseDunlin((DbContextOptionsBuilder)options, services);
        return options;
    }
}
