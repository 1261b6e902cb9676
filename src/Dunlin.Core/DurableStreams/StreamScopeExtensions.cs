using Dunlin.Journal;

namespace Dunlin.DurableStreams;

/// <summary>Durable streams of units of work.</summary>
public static class StreamScopeExtensions
{
    extension(IUnitOfWork unit)
    {
        /// <summary>Gets the durable streams in this transaction. Changes commit or roll back with it.</summary>
        /// <exception cref="NotSupportedException">The store has no streams.</exception>
        public UnitStreams Streams => new(unit, TableOf(unit));
    }

    internal static IStreamTable TableOf(object scope) =>
        scope is IStreamScope streams
            ? streams.Streams
            : throw new NotSupportedException($"{scope.GetType().Name} has no durable streams: this store does not support them.");
}
