using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>Finds the fields that need scheduling points: several threads access one, one of them changes it, and no lock is common to all
/// accesses.</summary>
/// <remarks>For all other fields, a switch before the access equals a switch at the lock, or commutes with what the other threads do.
/// Accesses of the first thread count too (unlike Eraser), because another order may have them second.</remarks>
internal sealed class AccessRecord
{
    private readonly Dictionary<Location, Accesses> _accesses = [];
    private readonly HashSet<string> _shared = new(StringComparer.Ordinal);

    /// <summary>Gets the names of the fields that were found.</summary>
    public IReadOnlySet<string> Shared => _shared;

    public void Add(int thread, object? owner, string field, bool changes, List<object> held)
    {
        var location = new Location(owner, field);
        if (!_accesses.TryGetValue(location, out var accesses))
        {
            _accesses.Add(location, new Accesses(thread, [.. held]) { Changes = changes });
            return;
        }
        accesses.Changes |= changes;
        accesses.AreShared |= thread != accesses.First;
        for (var i = accesses.Locks.Count - 1; i >= 0; i--)
        {
            if (!held.Contains(accesses.Locks[i]))
                accesses.Locks.RemoveAt(i);
        }
        if (accesses is { Changes: true, AreShared: true, Locks.Count: 0 })
            _shared.Add(field);
    }

    private sealed class Accesses(int first, List<object> locks)
    {
        public int First => first;

        public List<object> Locks => locks;

        public bool Changes { get; set; }

        public bool AreShared { get; set; }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly struct Location(object? owner, string field) : IEquatable<Location>
    {
        private readonly object? _owner = owner;
        private readonly string _field = field;

        public bool Equals(Location other) => ReferenceEquals(_owner, other._owner) && _field == other._field;

        public override bool Equals(object? obj) => obj is Location other && Equals(other);

        public override int GetHashCode() => RuntimeHelpers.GetHashCode(_owner) ^ _field.Length ^ (_field[^1] << 8);
    }
}
