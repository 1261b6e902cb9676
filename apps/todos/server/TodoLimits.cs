namespace Dunlin.Apps.Todos;

/// <summary>Limits of one user's stored data. Each bounds the records that a pull of the user, or of a list's members, reads.</summary>
internal static class TodoLimits
{
    /// <summary>Lists that a user sees, own and shared ones.</summary>
    public const int Lists = 100;

    /// <summary>Entries of a list.</summary>
    public const int Entries = 10_000;

    /// <summary>Members of a list, including invited users.</summary>
    public const int Members = 50;

    /// <summary>Pending invitations that one user has sent.</summary>
    public const int SentInvitations = 50;

    /// <summary>
    /// Pending invitations of one invited user. Further ones are dropped silently, because an error would reveal to the sender that the
    /// user exists.
    /// </summary>
    public const int ReceivedInvitations = 20;

    /// <summary>Look-ups of exact user names that one user makes in an hour. Bounds how fast one account can test names.</summary>
    public const int LookupsPerHour = 60;

    /// <summary>People who are offered for an invitation.</summary>
    public const int KnownPeople = 200;
}
