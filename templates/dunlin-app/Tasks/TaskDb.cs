using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace DunlinApp.Tasks;

/// <summary>One task.</summary>
public sealed class TaskItem
{
    public long Id { get; set; }

    public required string Title { get; set; }

    public bool Done { get; set; }

    /// <summary>Gets or sets the name of the user who added the task.</summary>
    public required string Author { get; set; }
}

/// <summary>The application's tables, on a connection of Dunlin. Scripts in <c>Schema</c> create them.</summary>
public sealed class TaskDb(DbContextOptions<TaskDb> options) : DbContext(options)
{
    public DbSet<TaskItem> Tasks => Set<TaskItem>();

    /// <summary>Creates a context that uses a connection, and a transaction of it if there is one.</summary>
    public static async Task<TaskDb> OnAsync(DbConnection connection, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        var db = new TaskDb(new DbContextOptionsBuilder<TaskDb>().UseSqlite(connection).Options);
        if (transaction is not null)
            await db.Database.UseTransactionAsync(transaction, cancellationToken);
        return db;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var task = modelBuilder.Entity<TaskItem>().ToTable("task");
        task.Property(item => item.Id).HasColumnName("id");
        task.Property(item => item.Title).HasColumnName("title");
        task.Property(item => item.Done).HasColumnName("done");
        task.Property(item => item.Author).HasColumnName("author");
    }
}
