using Dunlin.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Replicache;

/// <summary>What <c>AddReplicache()</c> returns.</summary>
public sealed class ReplicacheBuilder(DunlinBuilder dunlin)
{
    /// <summary>The builder of the engine.</summary>
    public DunlinBuilder Dunlin { get; } = dunlin;

    /// <summary>Adds what the server does for one mutation of the client. It runs inside a unit of work that it must not leave:
    /// everything through <see cref="Mutation.Records"/> and <see cref="Mutation.Unit"/>. It may run more than once before it is
    /// committed, but commits at most once. If it throws, its changes are rolled back and the mutation is done with: the
    /// client's own guess at the result goes away with the next pull.</summary>
    /// <typeparam name="TArgs">The arguments: JSON in web style, strict, with data annotations checked. A mutation whose
    /// arguments do not fit fails.</typeparam>
    /// <param name="name">The name of the mutator in the client.</param>
    /// <param name="run">Does it.</param>
    public ReplicacheBuilder AddMutator<TArgs>(string name, Func<Mutation, TArgs, CancellationToken, ValueTask> run)
        where TArgs : notnull
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Dunlin.Services.AddSingleton(new Mutator(name, (mutation, args, ct) => run(mutation, ArgsReader.Read<TArgs>(args), ct)));
        return this;
    }
}
