using Dunlin.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.RxDb;

/// <summary>What <c>AddRxDb()</c> returns.</summary>
public sealed class RxDbBuilder(DunlinBuilder dunlin)
{
    /// <summary>The builder of the engine.</summary>
    public DunlinBuilder Dunlin { get; } = dunlin;

    /// <summary>Adds a collection.</summary>
    /// <exception cref="InvalidOperationException">At start: it cannot be as it is; the text says why.</exception>
    public RxDbBuilder AddCollection(RxCollection collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        Dunlin.Services.AddSingleton(collection);
        return this;
    }
}
