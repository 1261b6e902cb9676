using System.Security.Cryptography;
using System.Text;
using Dapper;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Apps.Documents.Locks;

/// <summary>
/// Derives the lease ids of this system. A lock request contains only the file, because a lock belongs to a session. So the id is derived
/// from the session and a key in the database, and stays secret. All tabs of a session share it; their fencing tokens distinguish its
/// grants. A credential without a session (a token of another issuer) counts as one session of its user.
/// </summary>
internal sealed class LockIds(IStore store)
{
    private const string Setting = "lock_key";

    private byte[]? _key;

    /// <summary>Returns the lease id of the caller's session.</summary>
    public async ValueTask<string> OfAsync(Caller caller, CancellationToken cancellationToken)
    {
        var key = _key ??= await LoadAsync(cancellationToken);
        var owner = caller.SessionId is { } session ? "session " + session : "user " + caller.UserId;
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(owner)));
    }

    // The first caller of all nodes creates the key.
    private async ValueTask<byte[]> LoadAsync(CancellationToken cancellationToken)
    {
        var made = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var kept = await store.WriteAsync(
            async (unit, _) =>
            {
                await unit.Connection.ExecuteAsync(
                    "INSERT INTO documents_setting (name, value) VALUES (@Setting, @made) ON CONFLICT DO NOTHING",
                    new { Setting, made },
                    unit.Transaction
                );
                return await SettingRows.FindAsync(unit.Connection, unit.Transaction, Setting);
            },
            cancellationToken
        );
        return Convert.FromHexString(kept!);
    }
}
