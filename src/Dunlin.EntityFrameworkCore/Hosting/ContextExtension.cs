using Dunlin.EntityFrameworkCore.Transactions;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.EntityFrameworkCore.Hosting;

/// <summary>Adds <see cref="ContextEvents"/> to the services of a context. Immutable.</summary>
internal sealed class ContextExtension(ContextStore store) : IDbContextOptionsExtension
{
    public ContextStore Store => store;

    public DbContextOptionsExtensionInfo Info => field ??= new ExtensionInfo(this);

    public void ApplyServices(IServiceCollection services)
    {
        services.AddScoped<ContextEvents>();
        // A pooled context drops pending events when it returns to the pool.
        services.AddScoped<IResettableService>(provider => provider.GetRequiredService<ContextEvents>());
    }

    public void Validate(IDbContextOptions options) { }

    private sealed class ExtensionInfo(IDbContextOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "using Dunlin ";

        public override int GetServiceProviderHashCode() => 0;

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) => debugInfo["Dunlin"] = "1";
    }
}
