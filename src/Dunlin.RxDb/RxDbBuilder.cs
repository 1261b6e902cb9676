using Dunlin.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.RxDb;

/// <summary>Adds collections. Returned by <c>AddRxDb()</c>.</summary>
/// <param name="dunlin">The builder of the engine.</param>
public sealed class RxDbBuilder(DunlinBuilder dunlin)
{
    /// <summary>Gets the builder of the engine.</summary>
    public DunlinBuilder Dunlin { get; } = dunlin;

    /// <summary>Adds a collection. An invalid collection stops the start of the host with an
    /// <see cref="InvalidOperationException"/>.</summary>
    /// <param name="collection">The collection.</param>
    /// <returns>The same builder.</returns>
    public RxDbBuilder AddCollection(RxCollection collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        Dunlin.Services.AddSingleton(collection);
        return this;
    }
}
