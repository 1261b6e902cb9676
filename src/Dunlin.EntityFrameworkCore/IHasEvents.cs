using Dunlin.Journal;

namespace Dunlin.EntityFrameworkCore;

/// <summary>An entity that collects events. <c>SaveChanges</c> publishes them with the changes of the context.</summary>
/// <remarks>The members are methods because EF Core maps properties. Events must not need values that the database generates: those are
/// known only after the save.</remarks>
/// <example>
/// <code>
/// public sealed class Order : IHasEvents
/// {
/// private readonly List&lt;EventDraft&gt; _events = [];
/// public IReadOnlyCollection&lt;EventDraft&gt; GetEvents() =&gt; _events;
/// public void ClearEvents() =&gt; _events.Clear();
/// }
/// </code>
/// </example>
public interface IHasEvents
{
    /// <summary>Returns the events in the order in which they happened. <c>SaveChanges</c> of a context that tracks the entity calls
    /// it.</summary>
    IReadOnlyCollection<EventDraft> GetEvents();

    /// <summary>Removes the events. Called when <c>SaveChanges</c> has saved them; not called if it fails.</summary>
    void ClearEvents();
}
