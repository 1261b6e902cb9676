using Dunlin.Accounts;
using Dunlin.Diagnostics;
using Dunlin.Topics;

namespace Dunlin.TestKit.Conformance;

/// <summary>What every <see cref="IAccountStore"/> and <see cref="ISessionStore"/> owes.</summary>
public abstract class AccountStoreConformance : ConformanceSuite
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task An_account_is_found_by_id_and_by_name_without_case()
    {
        var account = new Account("u1", "Älice", "Alice Ünal", "hash", ["admin", "user"]);
        await Subject.Accounts.SaveAsync(account, Cancellation);
        AssertSame(account, await Subject.Accounts.FindByIdAsync("u1", Cancellation));
        AssertSame(account, await Subject.Accounts.FindByNameAsync("äLICE", Cancellation));
        Assert.Null(await Subject.Accounts.FindByNameAsync("alic", Cancellation));
        Assert.Null(await Subject.Accounts.FindByIdAsync("U1", Cancellation));
    }

    [Fact]
    public async Task Saving_replaces_the_account_with_the_id_and_frees_its_old_name()
    {
        await Subject.Accounts.SaveAsync(new Account("u1", "alice", "Alice", "h1", []), Cancellation);
        await Subject.Accounts.SaveAsync(new Account("u1", "alicia", "Alicia", "h2", ["x"]), Cancellation);
        AssertSame(new Account("u1", "alicia", "Alicia", "h2", ["x"]), await Subject.Accounts.FindByIdAsync("u1", Cancellation));
        Assert.Null(await Subject.Accounts.FindByNameAsync("alice", Cancellation));
        await Subject.Accounts.SaveAsync(new Account("u2", "ALICE", "Other", "h", []), Cancellation);
        Assert.Equal(["u2", "u1"], (await Subject.Accounts.ListAsync(Cancellation)).Select(a => a.UserId));
    }

    [Fact]
    public async Task A_user_name_belongs_to_one_account()
    {
        await Subject.Accounts.SaveAsync(new Account("u1", "alice", "Alice", "h", []), Cancellation);
        await Subject.Accounts.SaveAsync(new Account("u2", "bob", "Bob", "h", []), Cancellation);
        foreach (var thief in new[] { new Account("u3", "ALICE", "Mallory", "h", []), new Account("u2", "Alice", "Bob", "h", []) })
        {
            var error = await Assert.ThrowsAsync<DunlinException>(async () => await Subject.Accounts.SaveAsync(thief, Cancellation));
            Assert.Equal(ErrorCode.Conflict, error.Code);
        }
        Assert.Equal("u1", (await Subject.Accounts.FindByNameAsync("alice", Cancellation))!.UserId);
        Assert.Equal("bob", (await Subject.Accounts.FindByIdAsync("u2", Cancellation))!.Username);
    }

    [Fact]
    public async Task A_session_is_kept_until_it_is_removed()
    {
        var session = new Session("s1", "u1", "hash", Noon.AddTicks(7), Noon.AddHours(1), "");
        await Subject.Sessions.AddAsync(session, Cancellation);
        Assert.Equal(session, await Subject.Sessions.FindAsync("s1", Cancellation));
        var again = await Assert.ThrowsAsync<DunlinException>(async () => await Subject.Sessions.AddAsync(session with { UserId = "u2" }, Cancellation));
        Assert.Equal(ErrorCode.Conflict, again.Code);
        await Subject.Sessions.RemoveAsync(new EndedSession("u1", "s1", "signed_out"), Cancellation);
        await Subject.Sessions.RemoveAsync(new EndedSession("u1", "s1", "signed_out"), Cancellation);
        Assert.Null(await Subject.Sessions.FindAsync("s1", Cancellation));
    }

    [Fact]
    public async Task Expired_sessions_are_not_listed_and_are_forgotten_when_asked()
    {
        await Subject.Sessions.AddAsync(new Session("young", "u1", "h", Noon.AddMinutes(1), Noon.AddHours(2), "Firefox"), Cancellation);
        await Subject.Sessions.AddAsync(new Session("old", "u1", "h", Noon, Noon.AddHours(1), "Chromium"), Cancellation);
        Assert.Equal(["old", "young"], await ListAsync(Noon));
        Assert.Equal(["young"], await ListAsync(Noon.AddHours(1)));
        await Subject.Sessions.ForgetExpiredAsync(Noon.AddHours(1), Cancellation);
        Assert.NotNull(await Subject.Sessions.FindAsync("old", Cancellation));
        await Subject.Sessions.ForgetExpiredAsync(Noon.AddHours(1).AddTicks(1), Cancellation);
        Assert.Null(await Subject.Sessions.FindAsync("old", Cancellation));
        Assert.NotNull(await Subject.Sessions.FindAsync("young", Cancellation));
    }

    private static void AssertSame(Account expected, Account? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Roles, actual.Roles);
        Assert.Equal(expected with { Roles = [] }, actual with { Roles = [] });
    }

    private async Task<List<string>> ListAsync(DateTimeOffset now) =>
        [.. (await Subject.Sessions.ListAsync(now, Cancellation)).Select(s => s.SessionId)];
}
