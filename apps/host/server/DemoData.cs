using Dunlin.Apps.Documents;
using Dunlin.Apps.Focus;
using Dunlin.Apps.Todos;
using Dunlin.Apps.Warranty;
using Dunlin.Apps.Wishlists;
using Dunlin.Devices;
using Dunlin.Diagnostics;
using Dunlin.Identity;
using Dunlin.Journal;
using Dunlin.RxDb;

namespace Dunlin.Host;

/// <summary>Seeds demo accounts and demo data. Runs in demo mode only, which is off in Production.</summary>
internal sealed class DemoData(
    HostSettings settings,
    IConfiguration configuration,
    IAccounts accounts,
    IStore data,
    UserDevices devices,
    RxDocuments documents
) : IHostedService
{
    public const string Password = "dunlin-demo";

    public static IReadOnlyList<NewAccount> Accounts { get; } =
    [
        new("alice", Password, "Alice Archer", ["admin", "reviewer"]) { UserId = "alice" },
        new("bob", Password, "Bob Baker", ["annotator"]) { UserId = "bob" },
        new("carol", Password, "Carol Carter", ["reviewer"]) { UserId = "carol" },
        new("dave", Password, "Dave Dyer", ["user"]) { UserId = "dave" },
    ];

    private static readonly Dictionary<long, IReadOnlyList<string>> Branches = new()
    {
        [1] = ["alice", "bob", "carol"],
        [2] = ["alice", "bob"],
        [3] = ["alice", "dave"],
    };

    private static readonly Dictionary<string, IReadOnlyList<string>> Collections = new(StringComparer.Ordinal)
    {
        ["letters"] = ["alice", "bob", "carol", "dave"],
        ["minutes"] = ["alice", "bob"],
        ["personnel"] = ["alice", "carol"],
    };

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!settings.Demo)
            return;
        // Additional accounts, for tests that need many users.
        var more = (configuration["Dunlin:DemoAccounts"] ?? "").Split(
            ',',
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
        );
        foreach (var account in Accounts.Concat(more.Select(name => new NewAccount(name, Password, name, ["user"]) { UserId = name })))
        {
            try
            {
                if (await accounts.FindByNameAsync(account.Username, cancellationToken) is null)
                    await accounts.CreateAsync(account, cancellationToken);
            }
            catch (DunlinException error) when (error.Code == ErrorCode.Conflict)
            {
                // Another node on the same store created the account first.
            }
        }
        await DocumentsDemo.SeedAsync(
            data,
            Collections,
            Accounts.ToDictionary(a => a.UserId!, a => a.FullName, StringComparer.Ordinal),
            cancellationToken
        );
        await TodosDemo.SeedAsync(data, cancellationToken);
        await WarrantyDemo.SeedAsync(data, Branches, cancellationToken);
        await WishlistsDemo.SeedAsync(
            data,
            documents,
            Accounts.ToDictionary(a => a.UserId!, a => a.FullName, StringComparer.Ordinal),
            cancellationToken
        );
        await FocusDemo.SeedAsync(data, devices, [.. Accounts.Select(account => account.UserId!)], cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
