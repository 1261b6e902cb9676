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

/// <summary>The application's tables. Scripts in <c>Schema</c> create them.</summary>
public sealed class TaskDb(DbContextOptions<TaskDb> options) : DbContext(options)
{
    public DbSet<TaskItem> Tasks => Set<TaskItem>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var task = modelBuilder.Entity<TaskItem>().ToTable("task");
        task.Property(item => item.Id).HasColumnName("id");
        task.Property(item => item.Title).HasColumnName("title");
        task.Property(item => item.Done).HasColumnName("done");
        task.Property(item => item.Author).HasColumnName("author");
    }
}
