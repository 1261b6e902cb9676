using Dunlin.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Replicache;

/// <summary>Adds mutators. Returned by <c>AddReplicache()</c>.</summary>
/// <param name="dunlin">The builder of the engine.</param>
public sealed class ReplicacheBuilder(DunlinBuilder dunlin)
{
    /// <summary>Gets the builder of the engine.</summary>
    public DunlinBuilder Dunlin { get; } = dunlin;

    /// <summary>Adds the server implementation of a mutator.</summary>
    /// <typeparam name="TArgs">The type of the arguments: JSON in web style, parsed strictly, with data annotations checked. A mutation
    /// with invalid arguments fails.</typeparam>
    /// <param name="name">The name of the mutator in the client.</param>
    /// <param name="run">Runs the mutation.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// The mutator runs inside a unit of work, so it must make all changes through <see cref="Mutation.Records"/> and
    /// <see cref="Mutation.Unit"/>. It may run several times before it commits, and commits at most once. If it throws, its changes are
    /// rolled back and the mutation counts as processed. The client then discards its optimistic result at the next pull.
    /// </remarks>
    /// <exception cref="ArgumentException">The name is null or empty.</exception>
    /// <example>
    /// <code>
    /// builder.AddReplicache().AddMutator&lt;NewTodo&gt;("createTodo", async (mutation, args, ct) => { /* mutation.Records ... */ });
    /// </code>
    /// </example>
    public ReplicacheBuilder AddMutator<TArgs>(string name, Func<Mutation, TArgs, CancellationToken, ValueTask> run)
        where TArgs : notnull
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Dunlin.Services.AddSingleton(new Mutator(name, (mutation, args, ct) => run(mutation, ArgsReader.Read<TArgs>(args), ct)));
        return this;
    }
}
