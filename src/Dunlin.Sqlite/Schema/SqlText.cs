namespace Dunlin.Sqlite.Schema;

/// <summary>One statement, from the file <c>{name}.sql</c> embedded in this assembly. Compared by identity.</summary>
internal sealed class SqlText(string name)
{
    public string Name { get; } = name;

    public string Text { get; } = Read(name);

    private static string Read(string name)
    {
        using var stream = typeof(SqlText).Assembly.GetManifestResourceStream($"Dunlin.Sqlite.Sql.{name}.sql")
            ?? throw new InvalidOperationException($"The statement '{name}.sql' is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
