using Dunlin.EntityFrameworkCore.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using static Dunlin.EntityFrameworkCore.Tests.Support.Shop;

namespace Dunlin.EntityFrameworkCore.Tests.Hosting;

/// <summary>The tables of the application and those of the store in one database.</summary>
public sealed class MigrationTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Migrations_run_before_or_after_the_store_opens(bool isBefore)
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-ef-");
        var connectionString = TestStore.ConnectionString(folder.FullName);
        if (isBefore)
            await MigrateAsync(connectionString, folder.FullName);
        await using (var shop = await StartAsync(isCreated: false, connectionString: connectionString, folder: folder.FullName))
        {
            if (!isBefore)
                await MigrateAsync(connectionString, folder.FullName);
            // Nothing is left to do, and no table of the store is part of the model.
            await using var db = shop.Db();
            Assert.Empty(await db.Database.GetPendingMigrationsAsync(Cancellation));
            Assert.DoesNotContain(db.Model.GetEntityTypes(), type => type.GetTableName()!.StartsWith("dunlin", StringComparison.Ordinal));
            db.Orders.Add(new Order { Id = "1" });
            db.Publish(Topic("shop"), "shop.opened", 1);
            await db.SaveChangesAsync(Cancellation);
            Assert.Equal(["shop shop.opened"], await shop.EventsAsync());
        }
        folder.Delete(recursive: true);
    }

    private static async Task MigrateAsync(string? connectionString, string folder)
    {
        var options = new DbContextOptionsBuilder<ShopDb>();
        Use(options, connectionString, folder);
        // The migrations of the tests have no snapshot of the model.
        options.ConfigureWarnings(static warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));
        await using var db = new ShopDb(options.Options);
        await db.Database.MigrateAsync(Cancellation);
    }
}

[DbContext(typeof(ShopDb))]
[Migration("20261130000000_Create")]
public sealed class CreateShop : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.CreateTable(
            "Orders",
            static table => new { Id = table.Column<string>(), State = table.Column<string>() },
            constraints: static table => table.PrimaryKey("PK_Orders", static row => row.Id)
        );
}
