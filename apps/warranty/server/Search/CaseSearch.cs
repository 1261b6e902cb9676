using Dapper;
using Dunlin.Apps.Text;
using Dunlin.Apps.Warranty.Cases;
using Dunlin.Journal;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Apps.Warranty.Search;

/// <summary>
/// Maintains the columns for searching and sorting cases. Every write of a case updates them in the same unit of work. At the start they
/// are computed for cases that an older version of this system wrote.
/// </summary>
internal sealed class CaseSearch(IStore store) : IHostedService
{
    // Small, because a unit of work delays other writers.
    private const int CasesPerUnit = 200;

    // Separates the fields, so that no search matches across two of them. Users do not type it.
    private const char Between = '\u0001';

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var after = 0L; after < long.MaxValue; )
        {
            var from = after;
            after = await store.WriteAsync(async (unit, _) => await FillAsync(unit, from), cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Computes the columns of a case in its current state in this unit of work.</summary>
    public static async Task SaveAsync(IUnitOfWork unit, long id) => await SaveAsync(unit, await CaseRows.RequireAsync(unit, id));

    /// <summary>Computes the columns of a case.</summary>
    public static Task SaveAsync(IUnitOfWork unit, Case of) =>
        unit.Connection.ExecuteAsync(
            "UPDATE warranty_case SET search_text = @text, customer_name_sort = @name, customer_contact_sort = @contact, customer_email_sort = @email, "
                + "address_sort = @address, invoice_sort = @invoice, staff_sort = @staff, search_version = @Version WHERE id = @Id",
            new
            {
                text = FoldedText.Fold(
                    string.Join(
                        Between,
                        of.ServiceNo,
                        of.CustomerName,
                        of.CustomerContact,
                        of.CustomerEmail,
                        of.Invoice,
                        of.Issues,
                        of.Staff
                    )
                ),
                name = FoldedText.SortKey(of.CustomerName),
                contact = FoldedText.SortKey(of.CustomerContact),
                email = FoldedText.SortKey(of.CustomerEmail),
                address = FoldedText.SortKey(of.Address),
                invoice = FoldedText.SortKey(of.Invoice),
                staff = FoldedText.SortKey(of.Staff),
                of.Version,
                of.Id,
            },
            unit.Transaction
        );

    /// <returns>The last case of this batch; the largest number after the last batch.</returns>
    private static async ValueTask<long> FillAsync(IUnitOfWork unit, long after)
    {
        var ids = (
            await unit.Connection.QueryAsync<long>(
                "SELECT id FROM warranty_case WHERE id > @after AND deleted_at IS NULL AND (search_version IS NULL OR search_version <> version) "
                    + "ORDER BY id LIMIT @CasesPerUnit",
                new { after, CasesPerUnit },
                unit.Transaction
            )
        ).AsList();
        foreach (var id in ids)
            await SaveAsync(unit, id);
        return ids.Count < CasesPerUnit ? long.MaxValue : ids[^1];
    }
}
