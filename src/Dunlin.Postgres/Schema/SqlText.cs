namespace Dunlin.Postgres.Schema;

/// <summary>One statement, from the file <c>{name}.sql</c> embedded in this assembly.</summary>
internal sealed class SqlText(string name)
{
    public string Name { get; } = name;

    public string Text { get; } = Read(name);

    private static string Read(string name)
    {
        using var stream = typeof(SqlText).Assembly.GetManifestResourceStream($"Dunlin.Postgres.Sql.{name}.sql")
            ?? throw new InvalidOperationException($"The statement '{name}.sql' is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
