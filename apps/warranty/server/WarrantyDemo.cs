using Dapper;
using Dunlin.Apps.Warranty.Cases;
using Dunlin.Journal;

namespace Dunlin.Apps.Warranty;

/// <summary>Demo data: three branches with twenty cases each. Skips a database that already has branches.</summary>
public static class WarrantyDemo
{
    private const int CasesPerBranch = 20;

    private static readonly Branch[] Branches = [new(1, "HQ", "Harbour Quay"), new(2, "NS", "North Station"), new(3, "RV", "Riverside")];

    private static readonly string[] Customers =
    [
        "Ada Lindqvist",
        "Benoît Moreau",
        "Chidi Okafor",
        "Dana Whitfield",
        "Elena Petrova",
        "Farid Rahimi",
        "Greta Holm",
        "Hiro Tanaka",
        "Ines Duarte",
        "Jonas Weber",
    ];

    private static readonly (string Items, string Issues)[] Faults =
    [
        ("Kettle KX-200, base, box", "Does not switch off when the water boils"),
        ("Laptop A15, charger", "Battery drains within an hour"),
        ("Drill DR-9, two bits", "Chuck slips under load"),
        ("Headphones SoundOne", "Left side silent"),
        ("Vacuum V7, hose", "Loses suction after five minutes"),
        ("Tablet T10", "Cracked screen, touch still works"),
        ("Coffee machine C3", "Leaks at the group head"),
        ("Camera M50, strap", "Error 20 at start"),
    ];

    private static readonly string[] Statuses = ["IN_QUEUE", "IN_PROGRESS", "WAITING_FOR", "COMPLETED"];

    private static readonly string[] Staff = ["", "Mira", "Tom", "Yusuf", "Lene"];

    /// <summary>Seeds the branches, their cases and members.</summary>
    /// <param name="store">The store.</param>
    /// <param name="members">User ids by branch number.</param>
    /// <param name="cancellationToken">Cancels the complete seeding.</param>
    public static ValueTask SeedAsync(
        IStore store,
        IReadOnlyDictionary<long, IReadOnlyList<string>> members,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            async (unit, ct) =>
            {
                if (
                    await unit.Connection.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM warranty_branch", transaction: unit.Transaction)
                    > 0
                )
                    return;
                foreach (var branch in Branches)
                {
                    await unit.Connection.ExecuteAsync(
                        "INSERT INTO warranty_branch (id, code, name) VALUES (@Id, @Code, @Name)",
                        branch,
                        unit.Transaction
                    );
                    foreach (var userId in members.GetValueOrDefault(branch.Id) ?? [])
                        await unit.Connection.ExecuteAsync(
                            "INSERT INTO warranty_member (branch_id, user_id) VALUES (@Id, @userId)",
                            new { branch.Id, userId },
                            unit.Transaction
                        );
                    for (var i = 0; i < CasesPerBranch; i++)
                        await CaseService.InsertAsync(unit, branch, CaseNumber((int)branch.Id, i, unit.Now), null, ct);
                }
            },
            cancellationToken
        );

    private static IReadOnlyList<(CaseField Field, string Value)> CaseNumber(int branch, int i, DateTimeOffset now)
    {
        var n = (branch * 7) + i;
        var customer = Customers[n % Customers.Length];
        var (items, issues) = Faults[n % Faults.Length];
        var status = Statuses[n % Statuses.Length];
        return
        [
            (CaseField.Find("customerName"), customer),
            (CaseField.Find("customerContact"), $"+44 20 7946 0{100 + n}"),
            (
                CaseField.Find("customerEmail"),
                FormattableString.Invariant(
                    $"{customer.Split(' ')[0].Normalize(System.Text.NormalizationForm.FormD)[..3].ToLowerInvariant()}{n}@example.org"
                )
            ),
            (CaseField.Find("address"), $"{n} Marsh Lane"),
            (
                CaseField.Find("purchaseDate"),
                now.AddDays(-30 - (n * 11 % 300)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)
            ),
            (CaseField.Find("invoice"), $"INV-{10_000 + (n * 37)}"),
            (CaseField.Find("status"), status),
            (CaseField.Find("receivedItems"), items),
            (CaseField.Find("issues"), issues),
            (CaseField.Find("solutions"), status == "COMPLETED" ? "Replaced the faulty part and tested for an hour" : ""),
            (CaseField.Find("cost"), status == "COMPLETED" ? FormattableString.Invariant($"{20 + (n * 13 % 90)}.50") : ""),
            (CaseField.Find("staff"), Staff[n % Staff.Length]),
        ];
    }
}
