namespace Dunlin.Apps.Todos;

/// <summary>What one user can make the server keep here. Each bounds what a pull of that user, or of the users who share a list,
/// has to read.</summary>
internal static class TodoLimits
{
    /// <summary>Lists that a user sees, own and shared ones.</summary>
    public const int Lists = 100;

    /// <summary>Entries of a list.</summary>
    public const int Entries = 10_000;

    /// <summary>Members of a list, those who are invited included.</summary>
    public const int Members = 50;

    /// <summary>Invitations that one user has sent and nobody has accepted.</summary>
    public const int SentInvitations = 50;

    /// <summary>Invitations that wait for one user. What comes beyond is dropped without a word: an error would tell the sender that
    /// there is such a user.</summary>
    public const int ReceivedInvitations = 20;
}
